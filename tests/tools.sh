#!/bin/sh
# PostgreSQL and Chromium for the tests that use them: installed where we may, otherwise named in one line.
# Never fails: without them their tests are skipped, and in CI those skips are what fails.
missing=""
command -v postgres >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="postgresql"
command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 \
	|| command -v google-chrome >/dev/null 2>&1 || missing="$missing chromium"
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then as=none
elif [ "$(id -u)" = 0 ]; then as=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true >/dev/null 2>&1; then as="sudo -n"
else as=none; fi
if [ "$as" != none ]; then
	# shellcheck disable=SC2086 # the names are words
	{ $as apt-get update -qq && $as env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } \
		>/dev/null 2>&1 && exit 0
fi
echo "tools: not installed, so their tests are skipped:$(printf ' %s' $missing)"
exit 0
