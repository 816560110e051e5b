/*
 * survey_mx.c - the servers that take a domain's mail.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <string.h>

#include "policy/survey_impl.h"

#define SERVERS_MAX 20
#define ADDRESSES_MAX 8
/* Names of one address that are followed. */
#define NAMES_MAX 4

/* Not of the Internet (RFC 6890); networks for documentation and tests are
 * let through, as nobody publishes them by mistake. */
static const char *const private_networks[] = {
	"0.0.0.0/8",
	"10.0.0.0/8",
	"100.64.0.0/10",
	"127.0.0.0/8",
	"169.254.0.0/16",
	"172.16.0.0/12",
	"192.168.0.0/16",
	"::/127",
	"fc00::/7",
	"fe80::/10",
};

static bool
is_private(const struct ip *ip)
{
	struct network network;
	size_t i;

	for (i = 0; i < sizeof(private_networks) / sizeof(private_networks[0]);
	     i++)
		if (network_parse(bytes_of(private_networks[i]), &network,
			NULL) == 0 &&
		    network_contains(&network, ip))
			return true;
	return false;
}

static bool
leads_to(struct survey *survey, const char *name, const struct ip *ip)
{
	const struct dns_answer *answer =
	    survey_ask(survey, name, ip->family == IP_V4 ? DNS_A : DNS_AAAA);
	size_t i;

	for (i = 0; i < answer->count; i++)
		if (ip_equal(&answer->records[i].ip, ip))
			return true;
	return false;
}

/* The name of the address, if any leads back. */
static json_t *
survey_reverse(struct survey *survey, const char *server, const struct ip *ip,
    const char *text)
{
	char reverse[DNS_REVERSE_SIZE];
	const struct dns_answer *answer;
	size_t i;

	dns_reverse_name(ip, reverse);
	answer = survey_ask(survey, reverse, DNS_PTR);
	if (dns_status_is_failure(answer->status)) {
		survey_found(survey, FOUND_MX_DNS, reverse,
		    dns_status_name(answer->status));
		return json_null();
	}
	if (answer->count == 0) {
		survey_found(survey, FOUND_MX_NO_REVERSE, server, text);
		return json_null();
	}
	for (i = 0; i < answer->count && i < NAMES_MAX; i++)
		if (leads_to(survey, answer->records[i].name, ip))
			return survey_json_text(answer->records[i].name);
	survey_found(survey, FOUND_MX_OTHER_REVERSE, server, text);
	return survey_json_text(answer->records[0].name);
}

/* 1 it has addresses, 0 none, -1 not known. */
static int
survey_addresses(struct survey *survey, const char *server, enum dns_type type,
    json_t *addresses)
{
	const struct dns_answer *answer = survey_ask(survey, server, type);
	char text[IP_TEXT_SIZE];
	size_t i;

	if (dns_status_is_failure(answer->status)) {
		survey_found(survey, FOUND_MX_DNS, server,
		    dns_status_name(answer->status));
		return -1;
	}
	for (i = 0; i < answer->count && i < ADDRESSES_MAX; i++) {
		const struct ip *ip = &answer->records[i].ip;

		ip_format(ip, text);
		if (is_private(ip))
			survey_found(survey, FOUND_MX_PRIVATE, server, text);
		json_array_append_new(addresses,
		    json_pack("{s:s, s:o}", "ip", text, "name",
			survey_reverse(survey, server, ip, text)));
	}
	return answer->count > 0;
}

static json_t *
survey_server(struct survey *survey, const struct dns_record *record)
{
	json_t *addresses = json_array();
	struct ip ip;
	int four, six;

	if (ip_parse(bytes_of(record->name), &ip) == 0) {
		survey_found(survey, FOUND_MX_IS_ADDRESS, record->name, NULL);
	} else {
		four = survey_addresses(survey, record->name, DNS_A, addresses);
		six =
		    survey_addresses(survey, record->name, DNS_AAAA, addresses);
		if (four == 0 && six == 0)
			survey_found(survey, FOUND_MX_NO_ADDRESS, record->name,
			    NULL);
	}
	return json_pack("{s:i, s:o, s:o}", "preference",
	    (int)record->preference, "name", survey_json_text(record->name),
	    "addresses", addresses);
}

static void
survey_without(struct survey *survey)
{
	const struct dns_answer *a = survey_ask(survey, survey->domain, DNS_A);
	const struct dns_answer *aaaa =
	    survey_ask(survey, survey->domain, DNS_AAAA);

	survey_found(survey,
	    a->count + aaaa->count > 0 ? FOUND_MX_IMPLICIT : FOUND_MX_MISSING,
	    survey->domain, NULL);
}

static void
survey_servers(struct survey *survey, const struct dns_answer *answer,
    json_t *servers)
{
	size_t i, n = 0;

	for (i = 0; i < answer->count && i < SERVERS_MAX; i++) {
		if (answer->records[i].name[0] == '\0') {
			survey_found(survey,
			    answer->count == 1 ? FOUND_MX_NULL
					       : FOUND_MX_NULL_NOT_ALONE,
			    survey->domain, NULL);
			continue;
		}
		n++;
		json_array_append_new(servers,
		    survey_server(survey, &answer->records[i]));
	}
	if (n > 0 && !survey_has_complaint(survey, "mx."))
		survey_found(survey, FOUND_MX_OK,
		    arena_printf(survey->arena, "%zu", n), NULL);
}

void
survey_mx(struct survey *survey)
{
	const struct dns_answer *answer =
	    survey_ask(survey, survey->domain, DNS_MX);
	json_t *servers = json_array();

	if (dns_status_is_failure(answer->status))
		survey_found(survey, FOUND_MX_DNS, survey->domain,
		    dns_status_name(answer->status));
	else if (answer->count == 0)
		survey_without(survey);
	else
		survey_servers(survey, answer, servers);
	json_object_set_new(survey->model, "mx", servers);
}
