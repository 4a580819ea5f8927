#!/bin/sh
# PostgreSQL and Chromium for the tests that use them: installed where we may, otherwise named in one line.
# Never fails: without them their tests are skipped, and in CI those skips are what fails.
# A soak (SALA_SOAK) also takes PgBouncer and Caddy.
# Of Chromium the part without windows is asked for, because it does a third less work for the same pages; any will do.
have() { command -v "$1" >/dev/null 2>&1; }
install() { $as env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1; }
database="" browser="" others=""
have postgres || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || database=postgresql
have chromium-headless-shell || have chromium || have chromium-browser || have google-chrome \
	|| browser=chromium-headless-shell
if [ "${SALA_SOAK:-0}" != 0 ]; then
	have pgbouncer || [ -x /usr/sbin/pgbouncer ] || others=pgbouncer
	have caddy || others="$others caddy"
fi
[ -n "$database$browser$others" ] || exit 0
if ! have apt-get; then as=none
elif [ "$(id -u)" = 0 ]; then as=""
elif have sudo && sudo -n true >/dev/null 2>&1; then as="sudo -n"
else as=none; fi
if [ "$as" != none ]; then
	$as apt-get update -qq >/dev/null 2>&1
	# shellcheck disable=SC2086 # what is not missing is no word
	install $database $browser $others && exit 0
	[ -z "$database" ] || { install "$database" && database=""; }
	[ -z "$browser" ] || { install chromium && browser=""; }
	# shellcheck disable=SC2086 # see above
	[ -z "$others" ] || { install $others && others=""; }
fi
[ -z "$database$browser$others" ] \
	|| echo "tools: not installed, so their tests are skipped: $database ${browser:+chromium} $others"
exit 0
