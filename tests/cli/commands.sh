#!/bin/sh
# commands.sh - the program `sekimori` as a person runs it: what it prints
# and with which status it ends.  Run by `make check` in the build directory.
# SPDX-License-Identifier: BSD-2-Clause
set -u

top=$(pwd)
directory=$(mktemp -d) || exit 1
trap 'rm -rf "$directory"' EXIT INT TERM
failed=0

# expect LABEL STATUS PATTERN WORDS...: the output has the pattern in it.
expect()
{
	label=$1 status=$2 pattern=$3
	shift 3
	output=$("$top/sekimori" "$@" 2>&1 </dev/null)
	got=$?
	if [ $got -ne "$status" ]; then
		echo "$label: status $got, not $status: $output"
		failed=1
	elif ! printf '%s\n' "$output" | grep -q -e "$pattern"; then
		echo "$label: no '$pattern' in: $output"
		failed=1
	fi
}

cd "$directory" || exit 1
cat >zone <<'END'
$ORIGIN friend.sekimori-test.net.
@ A 198.18.1.1
@ MX 10 @
@ TXT "v=spf1 ip4:198.18.1.1 -all"
_dmarc TXT "v=DMARC1; p=reject"
$ORIGIN 1.18.198.in-addr.arpa.
1 PTR friend.sekimori-test.net.
END
cat >mail <<'END'
From: <a@friend.sekimori-test.net>
To: <b@shop.sekimori-test.net>
Subject: hello
Date: Sun, 22 Nov 2026 09:00:00 +0900
Message-ID: <1@friend.sekimori-test.net>

Hello
END
echo 'redis = none mode = observe dns_timeout = 1s' >good.conf
echo 'dns_timeuot = 1s' >bad.conf
echo 'redis = "unix:/nonexistent/redis.sock"' >away.conf

scan="scan --defaults --dns-zone zone --helo friend.sekimori-test.net
    --from a@friend.sekimori-test.net --rcpt b@shop.sekimori-test.net"

expect "help" 0 "^usage: sekimori" --help
expect "help of a command" 0 "^usage: sekimori config check" \
	config check --help
expect "version" 0 "^sekimori [0-9]" --version
expect "nothing" 2 "what is to be done" -c good.conf
expect "no such command" 2 "there is no command 'nothing'" nothing
expect "no such option" 2 "there is no option --x" config check --x

expect "good config" 0 "^good.conf is good" config check good.conf
expect "bad config" 1 "^bad.conf:1: dns_timeuot: .*dns_timeout" \
	config check bad.conf
expect "missing config" 1 "missing.conf: No such file" -c missing.conf \
	config show
expect "a survey" 1 "^DMARC" -c good.conf auth --dns-zone zone \
	friend.sekimori-test.net --selector s1
expect "its JSON" 0 '"id": "spf.ok"' -c good.conf auth --dns-zone zone \
	friend.sekimori-test.net --json
expect "no domain" 2 "is no domain" auth "a b"
printf '%s' '<feedback><report_metadata><report_id>1</report_id>
<date_range><begin>1</begin><end>2</end></date_range></report_metadata>
<policy_published><domain>a.example</domain></policy_published><record><row>
<source_ip>192.0.2.1</source_ip><count>4</count><policy_evaluated>
<dkim>pass</dkim><spf>fail</spf></policy_evaluated></row><identifiers>
<header_from>a.example</header_from></identifiers></record></feedback>' \
	>report.xml
echo '<feedback><x></feedback>' >broken.xml
echo "redis = \"unix:/nonexistent/redis.sock\" state_dir = \"$directory\"" \
	>reports.conf
expect "a report" 0 "^report.xml: DMARC report, kept" -c reports.conf \
	report read report.xml
expect "the same" 0 "known already" -c reports.conf report read report.xml
expect "what it says" 0 "^192.0.2.1 *4 *4" -c reports.conf report show
expect "the list of them" 0 "dmarc *a.example" -c reports.conf report list
expect "a broken one" 1 "broken.xml: line 1: mismatched tag" \
	-c reports.conf report read broken.xml
{ cat report.xml; head -c 27000000 /dev/zero | tr '\0' ' '; } >large.xml
expect "too large" 1 "^sekimori: large.xml: is larger than" \
	-c reports.conf report read large.xml
: >empty.xml
expect "empty" 1 "^sekimori: empty.xml: it is empty" \
	-c reports.conf report read empty.xml
rm -f large.xml
expect "reports of nobody" 1 "report_from is not set" -c reports.conf \
	report dmarc
echo 'report_from = "dmarc@a.example"' >>reports.conf
expect "reports of nothing" 1 "there is no history yet" -c reports.conf \
	report dmarc --dry-run
expect "none sent" 0 "No report was sent" -c reports.conf report sent
expect "no date" 2 "is no date such as" -c reports.conf report dmarc \
	--day yesterday
expect "config as JSON" 0 '"dns_timeout": 1,' -c good.conf config show --json
expect "an option" 0 "^dns_timeout *1s" -c good.conf config show dns_timeout
expect "no such option of the config" 2 "did you mean mode" \
	-c good.conf config show mod
expect "sample" 0 "^#dns_timeout = 5s" config defaults

# shellcheck disable=SC2086
{
expect "good mail" 0 "^spf  *pass" $scan --ip 198.18.1.1 mail
expect "its verdict" 0 "^class  *not-spam" $scan --ip 198.18.1.1 mail
expect "forged mail" 0 "^class  *phish/dmarc" $scan --ip 198.18.9.9 mail
expect "as JSON" 0 '"authentication_results": "localhost;' \
	$scan --ip 198.18.1.1 --json mail
expect "two recipients" 0 "^mailbox  *c@school.sekimori-test.net" \
	$scan --ip 198.18.1.1 --rcpt c@school.sekimori-test.net mail
expect "our own user" 0 "^direction  *outbound" $scan --ip 127.0.0.1 mail
expect "missing mail" 1 "missing: No such file" $scan --ip 198.18.1.1 missing
expect "no address" 1 "--ip: 'here' is no IP address" $scan --ip here mail
}
expect "no recipient" 1 "--rcpt is wanted" scan --defaults --dns-zone zone mail
expect "bad zone" 1 "^sekimori: bad.conf:1: .*no type" scan --defaults \
	--rcpt a@b --dns-zone bad.conf mail
expect "no settings" 1 "--defaults judges without" -c away.conf scan \
	--rcpt a@b --dns-zone zone mail

if command -v mandoc >/dev/null; then
	for page in sekimori.1 sekimori.conf.5 sekimori-policy.5; do
		mandoc -Tlint -Wwarning "$top/doc/$page" || failed=1
	done
else
	echo "skipped: manual pages, mandoc is not installed"
fi

if "$top/sekimori" config defaults >/dev/full 2>/dev/null; then
	echo "a full disk went unnoticed"
	failed=1
fi
exit $failed
