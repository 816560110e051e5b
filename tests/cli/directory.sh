#!/bin/sh
# directory.sh - the directory, policy and lists by the command line, over a
# private Redis.  Run by `make check` in the build directory.
# SPDX-License-Identifier: BSD-2-Clause
set -u

if ! command -v redis-server >/dev/null; then
	echo "skipped: 1 test, redis-server is not installed"
	exit 77
fi
top=$(pwd)
directory=$(mktemp -d) || exit 1
redis_pid=
finish()
{
	[ -z "$redis_pid" ] || kill "$redis_pid"
	rm -rf "$directory"
}
trap finish EXIT
trap 'exit 1' INT TERM
failed=0
cd "$directory" || exit 1

redis-server --port 0 --unixsocket redis.sock --dir "$directory" \
	--appendonly yes --appendfsync always --maxmemory-policy noeviction \
	>redis.log 2>&1 &
redis_pid=$!
tries=0
while [ ! -S redis.sock ] && [ $tries -lt 300 ]; do
	sleep 0.2
	tries=$((tries + 1))
done
cat >conf <<END
redis = "unix:$directory/redis.sock"
redis_timeout_ms = 60000
state_dir = "$directory"
END

run()
{
	"$top/sekimori" -c conf "$@" 2>&1 </dev/null
}

# expect LABEL STATUS PATTERN WORDS...: the output has the pattern in it.
expect()
{
	label=$1 status=$2 pattern=$3
	shift 3
	output=$(run "$@")
	got=$?
	if [ $got -ne "$status" ]; then
		echo "$label: status $got, not $status: $output"
		failed=1
	elif ! printf '%s\n' "$output" | grep -q -e "$pattern"; then
		echo "$label: no '$pattern' in: $output"
		failed=1
	fi
}

expect "no domains" 0 "There are no domains" domain show
expect "a domain" 0 "example.jp is a domain of ours now" domain add example.jp
expect "an IDN" 0 "^bücher.example is" domain add bücher.example
expect "its A-label" 0 '"domain": "xn--bcher-kva.example"' \
	domain show bücher.example --json
expect "settings" 0 "^spam_points  *6  *(set here)" \
	domain set example.jp spam_points=6 'subject_mark=[SPAM] '
expect "a bad setting" 1 'spam_points: must be -100 to 100, not "abc"' \
	domain set example.jp spam_points=abc
expect "no such setting" 1 "spam_pionts" domain set example.jp spam_pionts=1
expect "unset" 0 "^spam_points  *5 *$" \
	domain set example.jp --unset spam_points
expect "no such domain" 1 "nothing.example" domain show nothing.example
expect "the system" 0 "^unsure_points  *2  *(set here)" \
	system set unsure_points=2
expect "inherited" 0 "^unsure_points  *2 *$" domain show example.jp

expect "routes" 0 "^example.jp  *20  mx.example.net:25" \
	route set example.jp '[192.0.2.10]:25' mx.example.net
expect "another route" 0 "^example.jp  *30  \[192.0.2.11\]:26" \
	route add example.jp '[192.0.2.11]:26'
expect "a route less" 0 "^example.jp  *10  \[192.0.2.10\]:25" \
	route remove example.jp mx.example.net
expect "all routes" 0 "192.0.2.11" route show
expect "not a server" 2 "is no server" route set example.jp ::1

expect "a recipient" 0 "taro@example.jp is a recipient now" \
	recipient add taro@example.jp
expect "its settings" 0 "locked=yes" recipient set taro@example.jp locked=yes
expect "recipients" 0 "^taro@example.jp  *locked=yes" \
	recipient show example.jp
expect "an alias" 0 "info@example.jp stands for taro@example.jp" \
	alias add info@example.jp taro@example.jp
expect "a circle" 1 "leads back to itself" \
	alias add taro@example.jp info@example.jp
expect "resolved" 0 "^taro@example.jp  *\[192.0.2.10\]:25" \
	recipient resolve info@example.jp
expect "not ours" 0 "^not-ours" recipient resolve a@nothing.example

expect "a row" 0 "^example.jp: block sender @spam.example" \
	list add sender block @spam.example --domain example.jp \
	--comment 得意先 --expires 30d
expect "the rows" 0 "@spam.example .*得意先" list show --domain example.jp
expect "a bad row" 1 "pattern" list add client block spam.example
expect "a row that is not there" 0 "was not there" \
	list remove sender block @x.example
for what in "domain export" "route export" "alias export example.jp" \
	"recipient export example.jp" "list export --domain example.jp"; do
	# shellcheck disable=SC2086
	run $what >"$(echo "$what" | tr -d ' -').csv" || failed=1
done
expect "domains again" 0 "unchanged" domain import domainexport.csv
expect "routes again" 0 "unchanged" route import routeexport.csv
expect "lists, tried" 0 "^It would be: 0 added" \
	list import listexportdomainexample.jp.csv --domain example.jp \
	--dry-run
printf 'side,kind,pattern\nsender,block,not an address\n' >bad.csv
expect "a bad table" 1 "^bad.csv:2: " list import bad.csv --domain example.jp

expect "audit" 0 "list.add .*@spam.example" audit
expect "nothing held" 0 "Nothing is held" quarantine list example.jp
expect "no such mail" 1 "01ARZ3NDEKTSV4RRFFQ69G5FAV" \
	quarantine show 01ARZ3NDEKTSV4RRFFQ69G5FAV.0
expect "no history" 1 "no history yet" log search
expect "removed" 0 "^bücher.example is removed" \
	domain remove bücher.example
kill "$redis_pid"
wait "$redis_pid"
redis_pid=
expect "Redis is away" 1 "^sekimori: .*redis" domain show
exit $failed
