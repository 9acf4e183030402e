#!/bin/bash
# Runs once, in the empty database container: the product's own role, which is no superuser.
set -euo pipefail
psql --set ON_ERROR_STOP=1 --set password="$DATABASE_PASSWORD" --username postgres <<'SQL'
CREATE ROLE handoff LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE handoff OWNER handoff;
SQL
