"""How the web server runs, under `make run` and in the image; options on its command line win."""

wsgi_app = "handoff.wsgi:application"
worker_class = "gthread"
workers = 2
preload_app = True  # loaded once, then forked; nothing connects to the database before the fork
threads = 4
timeout = 30
graceful_timeout = 20
# No access log: paths may carry single-use tokens. Requests are logged by route, with ids only.
accesslog = None
errorlog = "-"
control_socket_disable = True
