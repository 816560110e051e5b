/*
 * keyring.c - the private keys of our domains, as files.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strmap.h"
#include "policy/domain_text.h"
#include "policy/keyring.h"

#define KEY_FILE_MAX (16 * 1024)
#define SELECTOR_MAX 63
/* A directory that changed so recently may change again without a new time. */
#define SETTLED_S 2
/* Files that could not be read are tried again, as what helps (a mode, a
 * file descriptor) does not change the time of the directory. */
#define AGAIN_MS 2000

static const struct {
	const char *name, *suffix;
} states[KEY_STATE_COUNT] = {
	[KEY_NEW] = { "new", ".new" },
	[KEY_SIGNS] = { "signs", ".pem" },
	[KEY_RETIRED] = { "retired", ".retired" },
};

const char *
key_state_name(enum key_state state)
{
	return states[state].name;
}

/* ---- sets ---- */

static void
key_fini(struct keyring_key *key)
{
	free(key->selector);
	signing_key_free(key->key);
}

void
keyring_set_unref(struct keyring_set *set)
{
	size_t i;

	if (set == NULL || --set->references > 0)
		return;
	for (i = 0; i < set->count; i++)
		key_fini(&set->keys[i]);
	free(set);
}

static struct keyring_set *
set_ref(struct keyring_set *set)
{
	set->references++;
	return set;
}

static int
compare_keys(const void *a, const void *b)
{
	const struct keyring_key *first = a, *second = b;

	return strcmp(first->selector, second->selector);
}

/* ---- names ---- */

int
keyring_check_selector(const char *selector, struct err *err)
{
	size_t i, len = strlen(selector);

	if (len == 0 || len > SELECTOR_MAX || selector[0] == '.' ||
	    selector[len - 1] == '.' || strstr(selector, "..") != NULL)
		return err_set(err, ERR_INPUT,
		    "'%s' is no selector: letters, digits, hyphens, dots",
		    selector);
	for (i = 0; i < len; i++)
		if (!ascii_is_alnum(selector[i]) && selector[i] != '-' &&
		    selector[i] != '_' && selector[i] != '.')
			return err_set(err, ERR_INPUT,
			    "'%s' is no selector: letters, digits, hyphens, "
			    "dots",
			    selector);
	return 0;
}

/* Which state is in the name of this file?  -1: it is none of ours. */
static int
state_of(const char *file, char **selector)
{
	size_t i, len = strlen(file), tail;

	for (i = 0; i < KEY_STATE_COUNT; i++) {
		tail = strlen(states[i].suffix);
		if (len <= tail ||
		    strcmp(file + len - tail, states[i].suffix) != 0)
			continue;
		*selector = xprintf("%.*s", (int)(len - tail), file);
		if (keyring_check_selector(*selector, NULL) == 0)
			return (int)i;
		free(*selector);
		return -1;
	}
	return -1;
}

static char *
domain_path(const char *dir, const char *domain)
{
	return xprintf("%s/%s", dir, domain);
}

static char *
key_path(const char *dir, const char *domain, const char *selector,
    enum key_state state)
{
	return xprintf("%s/%s/%s%s", dir, domain, selector,
	    states[state].suffix);
}

/* ---- reading ---- */

/* Of the file itself, whatever happens to its name meanwhile. */
static int
read_all(int fd, struct buf *out, struct err *err)
{
	char piece[4096];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ERR_TEMP, "%s", strerror(errno));
		if (buf_append(out, piece, (size_t)n) < 0)
			return err_set(err, ERR_INPUT, "too large for a key");
	}
	secret_wipe(piece, sizeof(piece));
	return 0;
}

static struct signing_key *
read_key(int dir_fd, const char *file, time_t *since, struct err *err)
{
	struct signing_key *key = NULL;
	struct stat st;
	struct buf pem;
	int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0) {
		err_set(err, ERR_CONFIG, "%s", strerror(errno));
		return NULL;
	}
	buf_init(&pem, KEY_FILE_MAX);
	if (fstat(fd, &st) < 0)
		err_set(err, ERR_TEMP, "%s", strerror(errno));
	else if (!S_ISREG(st.st_mode) || (st.st_mode & 07) != 0)
		err_set(err, ERR_CONFIG,
		    "everybody may read or write it: chmod o= it");
	else if (read_all(fd, &pem, err) == 0)
		key = signing_key_read(buf_bytes(&pem), err);
	*since = st.st_ctime;
	if (pem.data != NULL)
		secret_wipe(pem.data, pem.len);
	buf_free(&pem);
	close(fd);
	return key;
}

static int
add_file(struct keyring_set *set, int dir_fd, const char *file, struct err *err)
{
	struct keyring_key key = { 0 };
	int state = state_of(file, &key.selector);

	if (state < 0)
		return 0;
	key.state = (enum key_state)state;
	if (set->count == KEYRING_KEYS_MAX) {
		free(key.selector);
		return err_set(err, ERR_LIMIT, "more than %d keys",
		    KEYRING_KEYS_MAX);
	}
	key.key = read_key(dir_fd, file, &key.since, err);
	if (key.key == NULL) {
		free(key.selector);
		return err_prefix(err, "%s", file);
	}
	set->keys[set->count++] = key;
	return 0;
}

/*
 * Every key that can be read; complain: what to do about the others, which
 * ends the reading (-1) or goes on (0).
 */
static int
read_set(const char *path, struct keyring_set **out,
    int (*complain)(void *context, const char *path, const struct err *err),
    void *context, struct err *err)
{
	struct keyring_set *set;
	const struct dirent *entry;
	DIR *dir = opendir(path);
	int rc = 0;

	if (dir == NULL)
		return errno == ENOENT || errno == ENOTDIR
		    ? 0
		    : err_set(err, ERR_CONFIG, "%s: %s", path, strerror(errno));
	set = xcalloc(1, sizeof(*set));
	set->references = 1;
	while (rc == 0 && (entry = readdir(dir)) != NULL)
		if (add_file(set, dirfd(dir), entry->d_name, err) < 0)
			rc = complain(context, path, err);
	closedir(dir);
	if (rc < 0 || set->count == 0) {
		keyring_set_unref(set);
		return rc;
	}
	qsort(set->keys, set->count, sizeof(set->keys[0]), compare_keys);
	*out = set;
	return 1;
}

static int
give_up(void *context, const char *path, const struct err *err)
{
	(void)context;
	(void)path;
	(void)err;
	return -1;
}

int
keyring_read(const char *dir, const char *domain, struct keyring_set **set,
    struct err *err)
{
	char *path;
	int rc;

	if (domain_text_check(domain, err) < 0)
		return err_prefix(err, "%s", domain);
	path = domain_path(dir, domain);
	rc = read_set(path, set, give_up, NULL, err);
	free(path);
	return rc;
}

/* ---- the ring ---- */

/* What was found in the directory of a domain. */
struct entry {
	char *domain; /* the key in the map */
	struct timespec changed;
	bool settled;            /* no further change can hide behind that */
	bool trouble;            /* something could not be read */
	bool quiet;              /* and that was said before */
	int64_t again_ms;        /* monotonic: when to try again */
	struct keyring_set *set; /* NULL: nothing that signs */
};

struct keyring {
	char *dir;
	pthread_mutex_t lock;
	struct strmap domains; /* -> struct entry */
};

struct keyring *
keyring_open(const char *dir)
{
	struct keyring *keyring = xcalloc(1, sizeof(*keyring));

	keyring->dir = xstrdup(dir);
	pthread_mutex_init(&keyring->lock, NULL);
	strmap_init(&keyring->domains);
	return keyring;
}

static void
entry_free(struct entry *entry)
{
	if (entry == NULL)
		return;
	keyring_set_unref(entry->set);
	free(entry->domain);
	free(entry);
}

static void
forget_all(struct keyring *keyring)
{
	const struct strmap_slot *slot;
	size_t pos = 0;

	while ((slot = strmap_next(&keyring->domains, &pos)) != NULL)
		entry_free(slot->value);
	strmap_free(&keyring->domains);
	strmap_init(&keyring->domains);
}

void
keyring_forget(struct keyring *keyring)
{
	pthread_mutex_lock(&keyring->lock);
	forget_all(keyring);
	pthread_mutex_unlock(&keyring->lock);
}

void
keyring_close(struct keyring *keyring)
{
	if (keyring == NULL)
		return;
	forget_all(keyring);
	strmap_free(&keyring->domains);
	pthread_mutex_destroy(&keyring->lock);
	free(keyring->dir);
	free(keyring);
}

static int
log_and_go_on(void *context, const char *path, const struct err *err)
{
	struct entry *entry = context;

	entry->trouble = true;
	if (!entry->quiet)
		log_error("a signing key cannot be used: %s: %s", path,
		    err->text);
	return 0;
}

/* Keys that do not sign are nobody's business here. */
static struct keyring_set *
only_signing(struct keyring_set *take_set)
{
	size_t i, n = 0;

	for (i = 0; i < take_set->count; i++) {
		if (take_set->keys[i].state == KEY_SIGNS)
			take_set->keys[n++] = take_set->keys[i];
		else
			key_fini(&take_set->keys[i]);
	}
	take_set->count = n;
	if (n > 0)
		return take_set;
	keyring_set_unref(take_set);
	return NULL;
}

static bool
is_unchanged(const struct entry *entry, const struct stat *st)
{
	return entry != NULL && entry->changed.tv_sec == st->st_mtim.tv_sec &&
	    entry->changed.tv_nsec == st->st_mtim.tv_nsec;
}

/* old: what was known before, or NULL. */
static struct entry *
entry_read(const char *domain, const char *path, const struct stat *st,
    const struct entry *old)
{
	struct entry *entry = xcalloc(1, sizeof(*entry));
	struct keyring_set *set = NULL;
	time_t now = time(NULL);
	struct err err;

	entry->domain = xstrdup(domain);
	entry->changed = st->st_mtim;
	/* A time to come is one of before the clock was set back. */
	entry->settled =
	    now > st->st_mtim.tv_sec + SETTLED_S || now < st->st_mtim.tv_sec;
	entry->quiet = is_unchanged(old, st) && old->trouble;
	if (read_set(path, &set, log_and_go_on, entry, &err) < 0)
		(void)log_and_go_on(entry, path, &err);
	if (set != NULL)
		entry->set = only_signing(set);
	entry->again_ms = clock_mono_ms() + AGAIN_MS;
	return entry;
}

static bool
is_fresh(const struct entry *entry, const struct stat *st)
{
	return is_unchanged(entry, st) && entry->settled &&
	    (!entry->trouble || clock_mono_ms() < entry->again_ms);
}

/* Only domains that have a directory are kept: their number is ours. */
static struct entry *
look_up(struct keyring *keyring, const char *domain, const char *path)
{
	struct entry *old = strmap_get(&keyring->domains, bytes_of(domain));
	struct entry *entry = NULL;
	struct stat st;
	bool there = stat(path, &st) == 0;

	if (there && is_fresh(old, &st))
		return old;
	if (there)
		entry = entry_read(domain, path, &st, old);
	(void)strmap_remove(&keyring->domains, bytes_of(domain));
	entry_free(old);
	if (entry != NULL)
		*strmap_put(&keyring->domains, bytes_of(entry->domain)) = entry;
	return entry;
}

struct keyring_set *
keyring_get(struct keyring *keyring, const char *domain)
{
	struct keyring_set *set = NULL;
	const struct entry *entry;
	char *path;

	if (domain_text_check(domain, NULL) < 0)
		return NULL;
	path = domain_path(keyring->dir, domain);
	pthread_mutex_lock(&keyring->lock);
	entry = look_up(keyring, domain, path);
	if (entry != NULL && entry->set != NULL)
		set = set_ref(entry->set);
	pthread_mutex_unlock(&keyring->lock);
	free(path);
	return set;
}

/* ---- changing ---- */

static int
make_directory(const char *path, int group, struct err *err)
{
	if (mkdir(path, 0750) < 0)
		return errno == EEXIST
		    ? 0
		    : err_set(err, ERR_CONFIG, "%s: %s", path, strerror(errno));
	if (group >= 0 && chown(path, (uid_t)-1, (gid_t)group) < 0)
		return err_set(err, ERR_CONFIG, "%s: %s", path,
		    strerror(errno));
	return 0;
}

static int
write_all(int fd, struct bytes data)
{
	ssize_t n;

	while (data.len > 0) {
		n = write(fd, data.data, data.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data.data += n;
		data.len -= (size_t)n;
	}
	return 0;
}

static int
write_key(const char *path, struct bytes pem, int group, struct err *err)
{
	int fd = open(path,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_set(err, errno == EEXIST ? ERR_INPUT : ERR_CONFIG,
		    "%s: %s", path, strerror(errno));
	if (write_all(fd, pem) == 0 &&
	    (group < 0 || fchown(fd, (uid_t)-1, (gid_t)group) == 0) &&
	    fchmod(fd, 0640) == 0 && fsync(fd) == 0) {
		close(fd);
		return 0;
	}
	err_set(err, ERR_CONFIG, "%s: %s", path, strerror(errno));
	close(fd);
	unlink(path);
	return -1;
}

static int
refuse_taken(const char *dir, const char *domain, const char *selector,
    struct err *err)
{
	char *path;
	int state, rc = 0;

	for (state = 0; rc == 0 && state < KEY_STATE_COUNT; state++) {
		path = key_path(dir, domain, selector, (enum key_state)state);
		if (access(path, F_OK) == 0)
			rc = err_set(err, ERR_INPUT,
			    "%s has a key '%s' already", domain, selector);
		free(path);
	}
	return rc;
}

int
keyring_add(const char *dir, const char *domain, const char *selector,
    const struct signing_key *key, int group, struct err *err)
{
	char *path = domain_path(dir, domain), *file;
	struct buf pem;
	int rc = -1;

	file = key_path(dir, domain, selector, KEY_NEW);
	buf_init(&pem, KEY_FILE_MAX);
	if (domain_text_check(domain, err) < 0 ||
	    keyring_check_selector(selector, err) < 0 ||
	    refuse_taken(dir, domain, selector, err) < 0 ||
	    make_directory(dir, group, err) < 0 ||
	    make_directory(path, group, err) < 0)
		goto out;
	if (signing_key_pem(key, &pem) < 0)
		err_set(err, ERR_TEMP, "OpenSSL could not write the key");
	else
		rc = write_key(file, buf_bytes(&pem), group, err);
out:
	if (pem.data != NULL)
		secret_wipe(pem.data, pem.len);
	buf_free(&pem);
	free(file);
	free(path);
	return rc;
}

int
keyring_set_state(const char *dir, const char *domain, const char *selector,
    enum key_state from, enum key_state to, struct err *err)
{
	char *old = key_path(dir, domain, selector, from);
	char *new = key_path(dir, domain, selector, to);
	int rc = rename(old, new);

	if (rc < 0)
		err_set(err, ERR_CONFIG, "%s: %s", old, strerror(errno));
	free(old);
	free(new);
	return rc;
}

int
keyring_remove(const char *dir, const char *domain, const char *selector,
    enum key_state state, struct err *err)
{
	char *file = key_path(dir, domain, selector, state);
	char *path = domain_path(dir, domain);
	int rc = unlink(file);

	if (rc < 0)
		err_set(err, ERR_CONFIG, "%s: %s", file, strerror(errno));
	else
		(void)rmdir(path); /* fails where there are others */
	free(file);
	free(path);
	return rc;
}
