#!/bin/sh
# A streaming replica: copies the primary (PGHOST, PGUSER, PGPASSWORD) where nothing is yet, then follows it. Words behind
# it go to the server. What is there is never thrown away: it may have become a primary since.
set -e
if [ ! -d "$PGDATA" ]; then
	rm -rf "$PGDATA.part" # what an interrupted copy left
	pg_basebackup --pgdata "$PGDATA.part" --write-recovery-conf --wal-method stream --checkpoint fast
	mv "$PGDATA.part" "$PGDATA"
fi
exec postgres -D "$PGDATA" "$@"
