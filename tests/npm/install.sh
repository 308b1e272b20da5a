#!/bin/sh
# Installs Twilio's client library, pinned by package-lock.json, into FOLDER/node_modules; does nothing if it is there.
# usage: install.sh FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
command -v npm >/dev/null || { echo "install.sh: npm is not installed" >&2; exit 1; }
mkdir -p "$folder"
cmp -s "$here/package-lock.json" "$folder/.installed" && exit 0
cp "$here/package.json" "$here/package-lock.json" "$folder"
cd "$folder"
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
cp package-lock.json .installed
