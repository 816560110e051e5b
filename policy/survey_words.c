/*
 * survey_words.c - all that a survey can find, in words.
 *
 * Names stay for ever, as pages translate by them and people search for
 * them.  The text says what is, the advice what to do; an empty advice
 * means that there is nothing to do.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include "policy/survey_impl.h"

const struct survey_word survey_word_table[SURVEY_ID_COUNT] = {
	/* ---- SPF ---- */
	[FOUND_SPF_OK] = { "spf.ok", LEVEL_OK,
	    "The SPF record is in order and needs %1 of 10 DNS lookups.", "" },
	[FOUND_SPF_MISSING] = { "spf.missing", LEVEL_ERROR,
	    "%1 has no SPF record: nobody can tell its servers from others.",
	    "Publish a TXT record such as \"v=spf1 mx -all\"; for a domain "
	    "that sends no mail, \"v=spf1 -all\"." },
	[FOUND_SPF_DNS] = { "spf.dns", LEVEL_WARNING,
	    "The DNS did not answer for %1: %2.",
	    "Try again; when it stays, look at the name servers of that "
	    "domain.  Receivers see a temporary error." },
	[FOUND_SPF_SEVERAL] = { "spf.several", LEVEL_ERROR,
	    "%1 has more than one SPF record, which counts as an error.",
	    "Leave one TXT record that begins with v=spf1 and put all terms "
	    "into it." },
	[FOUND_SPF_SYNTAX] = { "spf.syntax", LEVEL_ERROR,
	    "The SPF record of %1 cannot be read: %2.",
	    "Mend the record; as it is, every receiver reports a permanent "
	    "error and SPF never passes." },
	[FOUND_SPF_LOOKUPS] = { "spf.lookups", LEVEL_ERROR,
	    "The SPF record needs %1 DNS lookups; more than 10 is an error.",
	    "Remove includes that are not used any more, or replace a and mx "
	    "terms by ip4 and ip6 networks." },
	[FOUND_SPF_LOOKUPS_NEAR] = { "spf.lookups-near", LEVEL_NOTE,
	    "The SPF record needs %1 of 10 DNS lookups: others, whose records "
	    "it includes, can bring it over the limit.",
	    "Remove what is not used any more." },
	[FOUND_SPF_VOID] = { "spf.void", LEVEL_WARNING,
	    "The term %1 leads to nothing: %2 has no such records.",
	    "Remove the term, or mend the name in it." },
	[FOUND_SPF_VOIDS] = { "spf.voids", LEVEL_ERROR,
	    "%1 terms of the SPF record lead to nothing; more than 2 is an "
	    "error.",
	    "Remove these terms." },
	[FOUND_SPF_MX_NAMES] = { "spf.mx-names", LEVEL_ERROR,
	    "The term %1 leads to more than 10 mail servers (%2), which is an "
	    "error.",
	    "Replace the term by ip4 and ip6 networks." },
	[FOUND_SPF_TARGET_MISSING] = { "spf.target-missing", LEVEL_ERROR,
	    "The term %1 names a domain without an SPF record, which is an "
	    "error.",
	    "Remove the term, or ask that domain for a record." },
	[FOUND_SPF_LOOP] = { "spf.loop", LEVEL_ERROR,
	    "The term %1 leads back to a record that is being read: the "
	    "evaluation never ends and is an error.",
	    "Remove the term." },
	[FOUND_SPF_MACRO] = { "spf.macro", LEVEL_NOTE,
	    "The term %1 depends on the mail and was not followed.", "" },
	[FOUND_SPF_PTR] = { "spf.ptr", LEVEL_WARNING,
	    "The record of %1 uses ptr, which is slow, unreliable, and should "
	    "not be used (RFC 7208 section 5.5).",
	    "Replace it by a, mx, ip4 or ip6." },
	[FOUND_SPF_ALL_PASS] = { "spf.all-pass", LEVEL_ERROR,
	    "The SPF record of %1 ends in +all: every server in the world may "
	    "send as this domain.",
	    "Replace it by -all or ~all." },
	[FOUND_SPF_ALL_NEUTRAL] = { "spf.all-neutral", LEVEL_WARNING,
	    "The SPF record ends in ?all: it says nothing about servers that "
	    "it does not name.",
	    "Replace it by -all or ~all." },
	[FOUND_SPF_ALL_SOFTFAIL] = { "spf.all-softfail", LEVEL_NOTE,
	    "The SPF record ends in ~all: mail of servers that it does not "
	    "name is only suspicious.",
	    "When all servers are named, -all is clearer; with DMARC either "
	    "will do." },
	[FOUND_SPF_NO_ALL] = { "spf.no-all", LEVEL_WARNING,
	    "The SPF record has no all and no redirect: it says nothing about "
	    "servers that it does not name.",
	    "Put -all or ~all at its end." },
	[FOUND_SPF_BEHIND_ALL] = { "spf.behind-all", LEVEL_WARNING,
	    "The term %1 stands behind all and never counts.",
	    "Put all at the end." },
	[FOUND_SPF_WIDE] = { "spf.wide", LEVEL_WARNING,
	    "The term %1 allows a very large network.",
	    "Name the networks of your own servers only." },
	[FOUND_SPF_LONG] = { "spf.long", LEVEL_NOTE,
	    "The SPF record has %1 octets; above 450 its answer may not fit "
	    "into one small packet.",
	    "Split it with include, or remove what is not used any more." },

	/* ---- DKIM ---- */
	[FOUND_DKIM_OK] = { "dkim.ok", LEVEL_OK,
	    "The DKIM key %1 is in order (%2).", "" },
	[FOUND_DKIM_NO_SELECTOR] = { "dkim.no-selector", LEVEL_NOTE,
	    "No selector of %1 is known: the DNS does not tell which DKIM "
	    "keys there are.",
	    "Name those that your mail is signed with: they are the s= of a "
	    "DKIM-Signature." },
	[FOUND_DKIM_DNS] = { "dkim.dns", LEVEL_WARNING,
	    "The DNS did not answer for %1: %2.",
	    "Try again; when it stays, look at the name servers." },
	[FOUND_DKIM_MISSING] = { "dkim.missing", LEVEL_ERROR,
	    "There is no DKIM key at %1: signatures with it fail.",
	    "Publish the key record there." },
	[FOUND_DKIM_SEVERAL] = { "dkim.several", LEVEL_ERROR,
	    "There is more than one TXT record at %1: which one a receiver "
	    "takes is not said.",
	    "Leave the key record alone there." },
	[FOUND_DKIM_BROKEN] = { "dkim.broken", LEVEL_ERROR,
	    "The DKIM key at %1 cannot be used: %2.",
	    "Publish the record again, in one piece; a revoked key may be "
	    "removed when no mail signed with it is under way." },
	[FOUND_DKIM_SHORT] = { "dkim.short", LEVEL_ERROR,
	    "The DKIM key %1 has %2 bits; receivers must not accept fewer "
	    "than 1,024 (RFC 8301).",
	    "Make a new key of 2,048 bits under another selector." },
	[FOUND_DKIM_WEAK] = { "dkim.weak", LEVEL_WARNING,
	    "The DKIM key %1 has %2 bits only.",
	    "Make a new key of 2,048 bits under another selector." },
	[FOUND_DKIM_TESTING] = { "dkim.testing", LEVEL_WARNING,
	    "The DKIM key %1 says t=y: receivers may treat its mail as "
	    "unsigned.",
	    "Remove the t=y when signing works." },
	[FOUND_DKIM_SHA1] = { "dkim.sha1", LEVEL_ERROR,
	    "The DKIM key %1 allows sha1 only, which no receiver accepts any "
	    "more (RFC 8301).",
	    "Remove the h= tag, or make it h=sha256." },
	[FOUND_DKIM_OTHER_KEY] = { "dkim.other-key", LEVEL_ERROR,
	    "The key at %1 is not the one that we sign with: signatures fail.",
	    "Publish the record that `sekimori dkim` shows." },

	/* ---- DMARC ---- */
	[FOUND_DMARC_OK] = { "dmarc.ok", LEVEL_OK,
	    "The DMARC record is in order; the policy is %1.", "" },
	[FOUND_DMARC_MISSING] = { "dmarc.missing", LEVEL_ERROR,
	    "%1 has no DMARC record: forged mail of this domain is let "
	    "through.",
	    "Publish at _dmarc a TXT record such as \"v=DMARC1; p=none; "
	    "rua=mailto:...\" and read the reports; then go on to "
	    "p=quarantine and p=reject." },
	[FOUND_DMARC_DNS] = { "dmarc.dns", LEVEL_WARNING,
	    "The DNS did not answer: %1.",
	    "Try again; when it stays, look at the name servers." },
	[FOUND_DMARC_SEVERAL] = { "dmarc.several", LEVEL_ERROR,
	    "There is more than one DMARC record at %1, so none counts.",
	    "Leave one." },
	[FOUND_DMARC_NEARLY] = { "dmarc.nearly", LEVEL_ERROR,
	    "The TXT record at %1 looks like a DMARC record and is none: %2",
	    "It must begin with v=DMARC1 exactly, and a semicolon behind." },
	[FOUND_DMARC_BROKEN] = { "dmarc.broken", LEVEL_ERROR,
	    "The DMARC record at %1 has no valid policy and does not count.",
	    "Set p= to none, quarantine or reject, and mend sp= and np=." },
	[FOUND_DMARC_INHERITED] = { "dmarc.inherited", LEVEL_NOTE,
	    "%1 has no DMARC record of its own; that of %2 applies.", "" },
	[FOUND_DMARC_TAG_UNKNOWN] = { "dmarc.tag-unknown", LEVEL_NOTE,
	    "The DMARC record has a tag that nobody knows: %1.",
	    "Remove it, or mend its name." },
	[FOUND_DMARC_TAG_GONE] = { "dmarc.tag-gone", LEVEL_NOTE,
	    "The tag %1 of the DMARC record means nothing any more "
	    "(RFC 9989).",
	    "Remove it; t=y is what pct=0 was used for." },
	[FOUND_DMARC_TAG_BROKEN] = { "dmarc.tag-broken", LEVEL_ERROR,
	    "The tag %1 of the DMARC record has a value that is none of its "
	    "own, and is left out.",
	    "Mend the value." },
	[FOUND_DMARC_TAG_REPEATED] = { "dmarc.tag-repeated", LEVEL_WARNING,
	    "The tag %1 stands more than once in the DMARC record; the first "
	    "counts.",
	    "Leave one." },
	[FOUND_DMARC_ONLY_WATCHES] = { "dmarc.only-watches", LEVEL_WARNING,
	    "The DMARC policy is none: forged mail of this domain is "
	    "reported, and let through.",
	    "When the reports show that your own mail passes, go on to "
	    "p=quarantine and p=reject." },
	[FOUND_DMARC_BELOW_WEAKER] = { "dmarc.below-weaker", LEVEL_WARNING,
	    "Subdomains have a weaker policy (%1) than the domain itself "
	    "(%2): forgers will use them.",
	    "Remove the tag, or make it as strict as p=." },
	[FOUND_DMARC_TESTING] = { "dmarc.testing", LEVEL_WARNING,
	    "The DMARC record says t=y: receivers apply the policy one level "
	    "milder, %1.",
	    "Remove t=y when the reports are good." },
	[FOUND_DMARC_NO_REPORTS] = { "dmarc.no-reports", LEVEL_WARNING,
	    "The DMARC record asks for no reports (rua=): nobody sees who "
	    "sends as this domain.",
	    "Add rua=mailto: and an address that Sekimori or a service "
	    "reads." },
	[FOUND_DMARC_URI_BROKEN] = { "dmarc.uri-broken", LEVEL_ERROR,
	    "Reports cannot go to %1: %2.", "Mend the address in rua=." },
	[FOUND_DMARC_URI_SIZE] = { "dmarc.uri-size", LEVEL_NOTE,
	    "The size behind %1 means nothing any more (RFC 9989), though "
	    "some still heed it.",
	    "Remove the exclamation mark and what is behind it." },
	[FOUND_DMARC_URI_REFUSED] = { "dmarc.uri-refused", LEVEL_ERROR,
	    "No reports go to %1: its domain does not say that it takes "
	    "them, there is no TXT record at %2.",
	    "Ask that domain to publish \"v=DMARC1\" there." },
	[FOUND_DMARC_URI_DNS] = { "dmarc.uri-dns", LEVEL_WARNING,
	    "Whether reports may go to %1 could not be told: %2.",
	    "Try again." },
	[FOUND_DMARC_URI_CONSENT] = { "dmarc.uri-consent", LEVEL_OK,
	    "The domain of %1 says that it takes reports for this domain.",
	    "" },
	[FOUND_DMARC_UNPROVABLE] = { "dmarc.unprovable", LEVEL_ERROR,
	    "The policy is %1, but no mail can pass: SPF has no usable "
	    "record and no DKIM key that is known is good.",
	    "Mend SPF or DKIM first." },

	/* ---- MX ---- */
	[FOUND_MX_OK] = { "mx.ok", LEVEL_OK,
	    "All mail servers (%1) have addresses.", "" },
	[FOUND_MX_MISSING] = { "mx.missing", LEVEL_ERROR,
	    "%1 has neither MX records nor an address: it gets no mail, and "
	    "many refuse mail from it.",
	    "Publish MX records; for a domain without mail, the null MX "
	    "\"0 .\"." },
	[FOUND_MX_IMPLICIT] = { "mx.implicit", LEVEL_WARNING,
	    "%1 has no MX records; mail goes to its own address.",
	    "Publish MX records." },
	[FOUND_MX_NULL] = { "mx.null", LEVEL_NOTE,
	    "The null MX says that %1 takes no mail; many refuse mail from "
	    "such a domain.",
	    "" },
	[FOUND_MX_NULL_NOT_ALONE] = { "mx.null-not-alone", LEVEL_ERROR,
	    "%1 has the null MX beside others (RFC 7505 forbids it).",
	    "Remove the null MX, or the others." },
	[FOUND_MX_DNS] = { "mx.dns", LEVEL_WARNING,
	    "The DNS did not answer for %1: %2.",
	    "Try again; when it stays, look at the name servers." },
	[FOUND_MX_NO_ADDRESS] = { "mx.no-address", LEVEL_ERROR,
	    "The mail server %1 has no address.",
	    "Publish A or AAAA records for it, or remove it from the MX "
	    "records." },
	[FOUND_MX_IS_ADDRESS] = { "mx.is-address", LEVEL_ERROR,
	    "The MX record names an address, %1, where a name must stand.",
	    "Give the server a name." },
	[FOUND_MX_PRIVATE] = { "mx.private", LEVEL_ERROR,
	    "The mail server %1 has an address that the world cannot reach: "
	    "%2.",
	    "Publish its public address." },
	[FOUND_MX_NO_REVERSE] = { "mx.no-reverse", LEVEL_NOTE,
	    "The address %2 of the mail server %1 has no name (PTR).",
	    "When it sends mail too, ask its provider for a PTR record: many "
	    "refuse mail without." },
	[FOUND_MX_OTHER_REVERSE] = { "mx.other-reverse", LEVEL_NOTE,
	    "The name of the address %2 of the mail server %1 does not lead "
	    "back to it.",
	    "When it sends mail too, let the PTR record name the server." },
};
