#!/bin/sh
# manual.sh - the manual pages are well formed, and say all there is to say.
#
# SPDX-License-Identifier: BSD-2-Clause
set -eu

top=${srcdir:-.}
wrong=0

fail() {
	echo "FAIL: $*" >&2
	wrong=1
}

# Every option of the config and every command stands in its page.
./sekimori config defaults | sed -n 's/^#\{0,1\} *\([a-z_]*\) *=.*/\1/p' |
    sort -u >manual.options
[ "$(wc -l <manual.options)" -gt 30 ] || fail "options were not read"
while read -r option; do
	grep -q "^\.It Ic $option\b" doc/sekimori.conf.5 ||
	    fail "sekimori.conf(5) does not have $option"
done <manual.options
rm -f manual.options
sed -n 's/^	{ "\([a-z_]*\)", OPT_.*/\1/p' "$top/policy/policy.c" >manual.options
[ "$(wc -l <manual.options)" -gt 30 ] || fail "settings were not read"
while read -r option; do
	grep -q "^\.It Ic $option\$" doc/sekimori-policy.5 ||
	    fail "sekimori-policy(5) does not have $option"
done <manual.options
rm -f manual.options

for page in doc/sekimori.1 doc/sekimori.conf.5 doc/sekimori-policy.5 \
    "$top/doc/sekimori-milter.8" "$top/webui/sekimori-web.8"; do
	[ -s "$page" ] || fail "$page is not there"
	! grep -n '@[A-Z]*@' "$page" || fail "$page is not filled in"
done

if command -v mandoc >/dev/null; then
	for page in doc/sekimori.1 doc/sekimori.conf.5 doc/sekimori-policy.5 \
	    "$top/doc/sekimori-milter.8" "$top/webui/sekimori-web.8"; do
		# Ours refer to each other, and are not installed yet.
		mandoc -T lint "$page" 2>&1 |
		    grep -v 'referenced manual not found\|outdated mandoc.db' >&2 &&
		    fail "mandoc complains about $page"
	done
else
	echo "skipped: mandoc over the manual pages, 4: it is not installed"
fi
exit $wrong
