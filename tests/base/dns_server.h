/*
 * dns_server.h - a name server of a test's own, on a free loopback port.
 *
 * What it does with a question stands in the first label of the name:
 *
 *	slowN	answers after N milliseconds
 *	drop	never answers
 *	fail	answers SERVFAIL
 *	none	answers NXDOMAIN without an SOA
 *	cut	answers by TCP only; by UDP it says so
 *	junk	answers with octets that are no message
 *	other	answers another question than was asked
 *	long	answers with 900 addresses
 *
 * All other names, and these when they answer, have the address 192.0.2.1
 * with a TTL of 60.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef TESTS_BASE_DNS_SERVER_H
#define TESTS_BASE_DNS_SERVER_H

struct dns_server;

/* port 0: a free one. */
struct dns_server *dns_server_start(unsigned port);
void dns_server_stop(struct dns_server *server);
unsigned dns_server_port(const struct dns_server *server);
/* Questions that have come, by UDP and TCP. */
unsigned dns_server_questions(struct dns_server *server);

#endif
