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
# What arrives before any code of ours sees it. Cursors make the longest addresses we have.
limit_request_line = 4094
limit_request_fields = 60
limit_request_field_size = 8190
