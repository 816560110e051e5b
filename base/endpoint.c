/*
 * endpoint.c - where a server listens, as the config writes it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "base/netaddr.h"
#include "base/str.h"

#define BACKLOG 1024

static int
parse_path(struct bytes path, struct endpoint *endpoint, struct err *err)
{
	struct sockaddr_un *sun = &endpoint->addr.sun;

	if (path.len == 0 || path.data[0] != '/')
		return err_set(err, ERR_CONFIG,
		    "the path of a unix socket starts with /");
	if (path.len >= sizeof(sun->sun_path))
		return err_set(err, ERR_CONFIG,
		    "the path of a unix socket has at most %zu characters",
		    sizeof(sun->sun_path) - 1);
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path, path.data, path.len);
	endpoint->size = sizeof(*sun);
	return 0;
}

/* "*", "localhost", an address, an address in brackets. */
static int
parse_host(struct bytes host, enum ip_family family, struct endpoint *endpoint,
    struct ip *ip)
{
	endpoint->wildcard = bytes_equal(host, BYTES_LIT("*"));
	if (endpoint->wildcard) {
		memset(ip, 0, sizeof(*ip));
		ip->family = family == IP_V6 ? IP_V6 : IP_V4;
		return 0;
	}
	if (bytes_equal(host, BYTES_LIT("localhost")))
		host =
		    family == IP_V6 ? BYTES_LIT("::1") : BYTES_LIT("127.0.0.1");
	if (host.len > 2 && host.data[0] == '[' &&
	    host.data[host.len - 1] == ']')
		host = (struct bytes){ host.data + 1, host.len - 2 };
	if (ip_parse(host, ip) < 0)
		return -1;
	return family == IP_NONE || family == ip->family ? 0 : -1;
}

static void
set_inet(struct endpoint *endpoint, const struct ip *ip, uint16_t port)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)&endpoint->addr.storage;
	struct sockaddr_in6 *sin6 =
	    (struct sockaddr_in6 *)&endpoint->addr.storage;

	if (ip->family == IP_V4) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(port);
		memcpy(&sin->sin_addr, ip->bytes, 4);
		endpoint->size = sizeof(*sin);
		return;
	}
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(port);
	memcpy(&sin6->sin6_addr, ip->bytes, 16);
	endpoint->size = sizeof(*sin6);
}

/* PORT@HOST or HOST:PORT. */
static int
parse_inet(struct bytes text, enum ip_family family, struct endpoint *endpoint,
    struct err *err)
{
	const char *at = memchr(text.data, '@', text.len);
	const char *colon = memrchr(text.data, ':', text.len);
	struct bytes host, port;
	const char *end = text.data + text.len;
	struct ip ip;
	uint64_t n;

	if (at != NULL) {
		port = (struct bytes){ text.data, (size_t)(at - text.data) };
		host = (struct bytes){ at + 1, (size_t)(end - at - 1) };
	} else if (colon != NULL) {
		host = (struct bytes){ text.data, (size_t)(colon - text.data) };
		port = (struct bytes){ colon + 1, (size_t)(end - colon - 1) };
	} else {
		return err_set(err, ERR_CONFIG, "HOST:PORT is wanted");
	}
	if (parse_u64(port, 1, 65535, &n) < 0)
		return err_set(err, ERR_CONFIG, "a port is 1 to 65535");
	if (parse_host(host, family, endpoint, &ip) < 0)
		return err_set(err, ERR_CONFIG,
		    "'%.*s' is no IP address, localhost or *", (int)host.len,
		    host.data);
	set_inet(endpoint, &ip, (uint16_t)n);
	return 0;
}

int
endpoint_parse(const char *text, struct endpoint *endpoint, struct err *err)
{
	struct cursor c = cursor_of(bytes_of(text));
	enum ip_family family = IP_NONE;
	struct bytes rest;

	memset(endpoint, 0, sizeof(*endpoint));
	if (cursor_literal(&c, "unix:") || cursor_literal(&c, "local:"))
		return parse_path((struct bytes){ c.p, (size_t)(c.end - c.p) },
		    endpoint, err);
	if (cursor_literal(&c, "inet6:"))
		family = IP_V6;
	else
		(void)cursor_literal(&c, "inet:");
	rest = (struct bytes){ c.p, (size_t)(c.end - c.p) };
	if (rest.len == 0)
		return err_set(err, ERR_CONFIG, "HOST:PORT is wanted");
	return parse_inet(rest, family, endpoint, err);
}

int
endpoint_connect(const struct endpoint *endpoint)
{
	struct endpoint to = *endpoint;
	struct ip loopback;
	uint16_t port;
	int fd, saved;

	if (endpoint->wildcard) {
		/* sin_port and sin6_port lie at the same place */
		port = ntohs(
		    ((const struct sockaddr_in *)&endpoint->addr.sa)->sin_port);
		(void)ip_parse(endpoint->addr.sa.sa_family == AF_INET6
			? BYTES_LIT("::1")
			: BYTES_LIT("127.0.0.1"),
		    &loopback);
		set_inet(&to, &loopback, port);
	}
	fd = socket(to.addr.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, &to.addr.sa, to.size) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int
endpoint_clear(const struct endpoint *endpoint, struct err *err)
{
	int fd;

	if (endpoint->addr.sa.sa_family != AF_UNIX)
		return 0;
	fd = endpoint_connect(endpoint);
	if (fd >= 0) {
		close(fd);
		return err_set(err, ERR_CONFIG, "%s: somebody listens there",
		    endpoint->addr.sun.sun_path);
	}
	if (errno == ECONNREFUSED)
		endpoint_remove(endpoint);
	return 0;
}

static int
bind_with_mode(int fd, const struct endpoint *endpoint, unsigned mode)
{
	mode_t old;
	int rc;

	if (endpoint->addr.sa.sa_family != AF_UNIX)
		return bind(fd, &endpoint->addr.sa, endpoint->size);
	/* The umask, so that there is no moment with a wider mode. */
	old = umask((mode_t)(~mode & 0777));
	rc = bind(fd, &endpoint->addr.sa, endpoint->size);
	umask(old);
	return rc;
}

int
endpoint_listen(const struct endpoint *endpoint, unsigned mode, struct err *err)
{
	int family = endpoint->addr.sa.sa_family;
	int fd, on = 1;

	if (endpoint_clear(endpoint, err) < 0)
		return -1;
	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(err, ERR_TEMP, "socket: %s", strerror(errno));
	if (family != AF_UNIX &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		goto fail;
	if (bind_with_mode(fd, endpoint, mode) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
fail:
	err_set(err, ERR_CONFIG, "cannot listen: %s", strerror(errno));
	close(fd);
	return -1;
}

static bool
is_listener_at(int fd, const struct endpoint *endpoint)
{
	struct sockaddr_storage storage = { 0 };
	socklen_t size = sizeof(storage), int_size = sizeof(int);
	int listening = 0;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening,
		   &int_size) == 0 &&
	    listening != 0 &&
	    getsockname(fd, (struct sockaddr *)&storage, &size) == 0 &&
	    size <= endpoint->size &&
	    memcmp(&storage, &endpoint->addr, size) == 0;
}

int
endpoint_find_listener(const struct endpoint *endpoint)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	uint64_t fd;
	int found = -1;

	if (dir == NULL)
		return -1;
	while (found < 0 && (entry = readdir(dir)) != NULL)
		if (parse_u64(bytes_of(entry->d_name), 0, INT_MAX, &fd) == 0 &&
		    is_listener_at((int)fd, endpoint))
			found = (int)fd;
	closedir(dir);
	return found;
}

void
endpoint_remove(const struct endpoint *endpoint)
{
	if (endpoint->addr.sa.sa_family == AF_UNIX)
		unlink(endpoint->addr.sun.sun_path);
}
