#!/bin/bash
# Runs once, in the empty database container: the roles of the product, none of them a superuser.
# `handoff` owns the tables and migrates; web and worker get their rights from each migration.
set -euo pipefail
psql --set ON_ERROR_STOP=1 --username postgres \
    --set owner="$DATABASE_PASSWORD" --set web="$WEB_DATABASE_PASSWORD" \
    --set worker="$WORKER_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE handoff LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'owner';
CREATE ROLE handoff_web LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'web';
CREATE ROLE handoff_worker LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'worker';
CREATE DATABASE handoff OWNER handoff;
SQL
