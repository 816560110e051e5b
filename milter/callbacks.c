/*
 * callbacks.c - libmilter's side: what it calls, and how it is run.
 *
 * A callback converts, calls one function, converts back.  Only RCPT and
 * end of message answer (and DATA over TCP, see answers_data); all other
 * steps are negotiated to need none (SMFIP_NR_*), which halves the cost of
 * a message.  For an MTA that does not know this, libmilter sends the
 * answer itself.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libmilter/mfapi.h>

#include "base/log.h"

#include "milter/callbacks.h"
#include "milter/finish.h"
#include "milter/session.h"
#include "milter/transaction.h"

#define FILTER_NAME "sekimori"
#define BACKLOG 1024
/* A header of more than 64 kB would end the connection otherwise. */
#define DATA_MAX (1024UL * 1024)
/* Reads and writes on the milter connection; MTAs wait less. */
#define IO_TIMEOUT_S 7200

#define ACTIONS (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_DELRCPT)
#define NO_REPLIES                                                             \
	(SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_DATA |       \
	    SMFIP_NR_UNKN | SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY)
/* Steps that tell us nothing: the header ends where the body or the message
 * does.  Each one costs six system calls. */
#define USELESS_STEPS (SMFIP_NOUNKNOWN | SMFIP_NODATA | SMFIP_NOEOH)

/*
 * Postfix writes DATA from one process and the message from another, with
 * Nagle's algorithm on: over TCP the message would wait for our delayed
 * acknowledgement of DATA [40 ms].  An answer carries it at once.
 */
static bool
answers_data(const struct daemon *daemon)
{
	return daemon->milter.addr.sa.sa_family != AF_UNIX;
}

/* libmilter gives nothing to connect, so this is at file scope; set before
 * threads start. */
static struct daemon *the_daemon;

/* What was agreed on last: for a session that begins on a connection whose
 * earlier session has ended (SMFIC_QUIT_NC), without negotiation. */
static _Atomic bool last_leading_space, last_observes;

/* ---- negotiation ---- */

/*
 * Who only observes refuses no recipient, and each answer that is not given
 * saves a trip through libmilter's pool.  Over TCP the MTA's own packets
 * would wait for their acknowledgement then, as with DATA.
 */
static bool
answers_rcpt(struct daemon *daemon)
{
	struct setup *setup = daemon_setup(daemon);
	bool observes = setup->conf->mode == MODE_OBSERVE;

	setup_unref(setup);
	return !observes || answers_data(daemon);
}

static struct session *
begin_session(bool leading_space, bool observes)
{
	struct session *session = session_new(the_daemon, leading_space);

	session->observes = observes;
	return session;
}

/* Macros that we want at each step; without them the MTA sends more. */
static const struct {
	int step;
	const char *macros;
} wanted_macros[] = {
	{ SMFIM_CONNECT, "j v {daemon_name}" },
	{ SMFIM_HELO, "{tls_version}" },
	{ SMFIM_ENVFROM, "i {auth_authen}" },
	{ SMFIM_ENVRCPT, "i" },
	{ SMFIM_EOM, "i" },
};

static void
ask_for_macros(SMFICTX *ctx)
{
	char macros[64];
	size_t i;

	for (i = 0; i < sizeof(wanted_macros) / sizeof(wanted_macros[0]); i++) {
		/* libmilter copies it, but wants it writable */
		memcpy(macros, wanted_macros[i].macros,
		    strlen(wanted_macros[i].macros) + 1);
		(void)smfi_setsymlist(ctx, wanted_macros[i].step, macros);
	}
}

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long offered_actions,
    unsigned long offered_steps, unsigned long unused2, unsigned long unused3,
    unsigned long *actions, unsigned long *steps, unsigned long *out2,
    unsigned long *out3)
{
	bool space = (offered_steps & SMFIP_HDR_LEADSPC) != 0;
	bool observes;

	(void)unused2;
	(void)unused3;
	*actions = ACTIONS;
	*steps = NO_REPLIES | (offered_steps & USELESS_STEPS);
	if (answers_data(the_daemon))
		*steps &= ~(unsigned long)(SMFIP_NR_DATA | SMFIP_NODATA);
	/* Where libmilter sees DATA, it knows no way from there to a body
	 * without a header: it drops what follows and never answers.  The
	 * end of an empty header shows it the way. */
	if ((*steps & SMFIP_NODATA) == 0)
		*steps &= ~(unsigned long)SMFIP_NOEOH;
	if (space)
		*steps |= SMFIP_HDR_LEADSPC;
	if ((offered_actions & SMFIF_SETSYMLIST) != 0) {
		*actions |= SMFIF_SETSYMLIST;
		ask_for_macros(ctx);
	}
	*out2 = *out3 = 0;
	if (!daemon_enter(the_daemon))
		return SMFIS_REJECT;
	observes = !answers_rcpt(the_daemon);
	if (observes)
		*steps |= SMFIP_NR_RCPT;
	last_leading_space = space;
	last_observes = observes;
	session_free(smfi_getpriv(ctx));
	smfi_setpriv(ctx, begin_session(space, observes));
	daemon_leave(the_daemon);
	return SMFIS_CONTINUE;
}

/* ---- between libmilter and us ---- */

/* The session, or NULL: there is none, or we are ending.  Between enter and
 * leave the daemon stays open. */
static struct session *
enter(SMFICTX *ctx)
{
	struct session *session;

	if (!daemon_enter(the_daemon))
		return NULL;
	session = smfi_getpriv(ctx);
	if (session == NULL) {
		daemon_leave(the_daemon);
		return NULL;
	}
	return session;
}

static sfsistat
leave(sfsistat status)
{
	daemon_leave(the_daemon);
	return status;
}

static const char *
macro(SMFICTX *ctx, const char *name)
{
	return smfi_getsymval(ctx, (char *)name);
}

static void
set_macro(struct session *session, enum session_text which, SMFICTX *ctx,
    const char *name)
{
	const char *value = macro(ctx, name);

	if (value != NULL)
		session_set(session, which, value);
}

/* Sendmail and Postfix take "%" for the start of a format. */
static char *
reply_text(struct transaction *tx, const char *text)
{
	char *out = arena_alloc(tx->arena, 2 * strlen(text) + 1), *p = out;

	for (; *text != '\0'; text++) {
		if (*text == '%')
			*p++ = '%';
		*p++ = *text;
	}
	*p = '\0';
	return out;
}

static sfsistat
reply(SMFICTX *ctx, struct transaction *tx, const struct answer *answer)
{
	if (answer->code == NULL)
		return SMFIS_CONTINUE;
	/* When it cannot be set, the MTA says it in its own words. */
	if (smfi_setreply(ctx, (char *)answer->code, (char *)answer->enhanced,
		reply_text(tx, answer->text)) != MI_SUCCESS)
		log_warn("%s: reply %s %s was not taken", tx->id.text,
		    answer->code, answer->enhanced);
	return answer->code[0] == '4' ? SMFIS_TEMPFAIL : SMFIS_REJECT;
}

/* ---- session ---- */

static sfsistat
on_connect(SMFICTX *ctx, char *hostname, _SOCK_ADDR *address)
{
	struct session *session;

	if (smfi_getpriv(ctx) == NULL && daemon_enter(the_daemon)) {
		smfi_setpriv(ctx,
		    begin_session(last_leading_space, last_observes));
		daemon_leave(the_daemon);
	}
	session = enter(ctx);
	if (session == NULL)
		return SMFIS_NOREPLY;
	session->ip = (struct ip){ IP_NONE, { 0 } };
	if (address != NULL)
		session->ip = ip_from_sockaddr((struct sockaddr *)address);
	session_set(session, SESSION_HOSTNAME, hostname);
	set_macro(session, SESSION_AUTHSERV, ctx, "j");
	set_macro(session, SESSION_VERSION, ctx, "v");
	set_macro(session, SESSION_DAEMON, ctx, "{daemon_name}");
	return leave(SMFIS_NOREPLY);
}

static sfsistat
on_helo(SMFICTX *ctx, char *helo)
{
	struct session *session = enter(ctx);

	if (session == NULL)
		return SMFIS_NOREPLY;
	session_set(session, SESSION_HELO, helo);
	set_macro(session, SESSION_TLS, ctx, "{tls_version}");
	return leave(SMFIS_NOREPLY);
}

static sfsistat
on_unknown(SMFICTX *ctx, const char *command)
{
	(void)ctx;
	(void)command;
	return SMFIS_NOREPLY;
}

static sfsistat
on_close(SMFICTX *ctx)
{
	struct session *session = enter(ctx);

	if (session == NULL) {
		session_abandon(smfi_getpriv(ctx));
		smfi_setpriv(ctx, NULL);
		return SMFIS_CONTINUE;
	}
	smfi_setpriv(ctx, NULL);
	session_free(session);
	return leave(SMFIS_CONTINUE);
}

/* ---- transaction ---- */

static sfsistat
on_mail(SMFICTX *ctx, char **argv)
{
	struct session *session = enter(ctx);

	if (session == NULL)
		return SMFIS_NOREPLY;
	session_end_transaction(session);
	session_set(session, SESSION_AUTH, macro(ctx, "{auth_authen}"));
	session->transaction =
	    transaction_new(session, argv[0], argv + 1, macro(ctx, "i"));
	return leave(SMFIS_NOREPLY);
}

static sfsistat
on_rcpt(SMFICTX *ctx, char **argv)
{
	struct session *session = enter(ctx);
	const struct answer *answer;
	struct transaction *tx;
	sfsistat status = SMFIS_TEMPFAIL;

	if (session == NULL)
		return SMFIS_TEMPFAIL;
	tx = session->transaction;
	if (tx != NULL) {
		transaction_set_queue_id(tx, macro(ctx, "i"));
		answer = transaction_recipient(tx, argv[0], argv + 1);
		status = reply(ctx, tx, answer);
	}
	/* libmilter complains to syslog of any other answer. */
	return leave(session->observes ? SMFIS_NOREPLY : status);
}

static sfsistat
on_data(SMFICTX *ctx)
{
	(void)ctx;
	return answers_data(the_daemon) ? SMFIS_CONTINUE : SMFIS_NOREPLY;
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	struct session *session = enter(ctx);

	if (session == NULL)
		return SMFIS_NOREPLY;
	if (session->transaction != NULL)
		transaction_header(session->transaction, name, value);
	return leave(SMFIS_NOREPLY);
}

static sfsistat
on_header_end(SMFICTX *ctx)
{
	struct session *session = enter(ctx);

	if (session == NULL)
		return SMFIS_NOREPLY;
	if (session->transaction != NULL)
		transaction_header_end(session->transaction);
	return leave(SMFIS_NOREPLY);
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *data, size_t len)
{
	struct session *session = enter(ctx);

	if (session == NULL)
		return SMFIS_NOREPLY;
	if (session->transaction != NULL)
		transaction_body(session->transaction,
		    (struct bytes){ (const char *)data, len });
	return leave(SMFIS_NOREPLY);
}

static sfsistat
on_abort(SMFICTX *ctx)
{
	struct session *session = enter(ctx);

	if (session == NULL)
		return SMFIS_CONTINUE;
	session_end_transaction(session);
	return leave(SMFIS_CONTINUE);
}

/* ---- end of message ---- */

static void
progress(void *context)
{
	/* A connection that is gone is seen when we answer. */
	(void)smfi_progress(context);
}

static int
send_edit(SMFICTX *ctx, const struct edit *edit)
{
	static char empty[] = "";

	switch (edit->kind) {
	case EDIT_DELETE_HEADER:
		return smfi_chgheader(ctx, edit->name, edit->index, empty);
	case EDIT_CHANGE_HEADER:
		return smfi_chgheader(ctx, edit->name, edit->index,
		    edit->value);
	case EDIT_INSERT_HEADER:
		return smfi_insheader(ctx, 0, edit->name, edit->value);
	case EDIT_DELETE_RECIPIENT:
		return smfi_delrcpt(ctx, edit->name);
	}
	return MI_FAILURE;
}

static int
send_edits(SMFICTX *ctx, const struct edit_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (send_edit(ctx, &list->edits[i]) != MI_SUCCESS)
			return -1;
	return 0;
}

static sfsistat
finish(SMFICTX *ctx, struct transaction *tx)
{
	struct finish finish;
	sfsistat status;

	finish_message(tx, &finish, progress, ctx);
	if (send_edits(ctx, &finish.edits) < 0)
		finish_failed(tx, &finish);
	status = reply(ctx, tx, finish.answer);
	if (status == SMFIS_CONTINUE && finish.discard)
		status = SMFIS_DISCARD;
	finish_record(tx, &finish);
	return status;
}

static sfsistat
on_message_end(SMFICTX *ctx)
{
	struct session *session = enter(ctx);
	sfsistat status = SMFIS_TEMPFAIL;

	if (session == NULL)
		return SMFIS_TEMPFAIL;
	if (session->transaction != NULL) {
		transaction_set_queue_id(session->transaction, macro(ctx, "i"));
		status = finish(ctx, session->transaction);
		session_end_transaction(session);
	}
	return leave(status);
}

/* ---- running ---- */

static const struct smfiDesc description = {
	.xxfi_name = (char *)FILTER_NAME,
	.xxfi_version = SMFI_VERSION,
	.xxfi_flags = ACTIONS,
	.xxfi_connect = on_connect,
	.xxfi_helo = on_helo,
	.xxfi_envfrom = on_mail,
	.xxfi_envrcpt = on_rcpt,
	.xxfi_header = on_header,
	.xxfi_eoh = on_header_end,
	.xxfi_body = on_body,
	.xxfi_eom = on_message_end,
	.xxfi_abort = on_abort,
	.xxfi_close = on_close,
	.xxfi_unknown = on_unknown,
	.xxfi_data = on_data,
	.xxfi_negotiate = on_negotiate,
};

/*
 * Edits and reply are written one by one; with Nagle's algorithm the second
 * one waits for the MTA's delayed acknowledgement [44 ms a message].  A
 * connection inherits the option from its listener, which libmilter keeps
 * to itself.
 */
static void
send_at_once(const struct endpoint *endpoint)
{
	int fd, on = 1;

	if (endpoint->addr.sa.sa_family == AF_UNIX)
		return;
	fd = endpoint_find_listener(endpoint);
	if (fd < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
		log_warn("TCP_NODELAY could not be set: each message will "
			 "take some 40 ms more");
}

static int
open_socket(const struct endpoint *endpoint, const struct conf *conf,
    struct err *err)
{
	mode_t old;
	int rc;

	if (endpoint_clear(endpoint, err) < 0)
		return -1;
	/* The umask, so that there is no moment with a wider mode. */
	old = umask((mode_t)(~conf->milter_socket_mode & 0777));
	rc = smfi_opensocket(false);
	umask(old);
	if (rc == MI_SUCCESS) {
		send_at_once(endpoint);
		return 0;
	}
	return err_set(err, ERR_CONFIG, "cannot listen at %s: %s",
	    conf->milter_listen, strerror(errno));
}

int
callbacks_open(struct daemon *daemon, struct err *err)
{
	struct setup *setup = daemon_setup(daemon);
	int rc = -1;

	the_daemon = daemon;
	(void)smfi_setmaxdatasize(DATA_MAX);
	if (smfi_register(description) != MI_SUCCESS ||
	    smfi_setconn(setup->conf->milter_listen) != MI_SUCCESS ||
	    smfi_setbacklog(BACKLOG) != MI_SUCCESS ||
	    smfi_settimeout(IO_TIMEOUT_S) != MI_SUCCESS)
		err_set(err, ERR_CONFIG, "libmilter refused %s",
		    setup->conf->milter_listen);
	else
		rc = open_socket(&daemon->milter, setup->conf, err);
	setup_unref(setup);
	return rc;
}

static void *
serve(void *context)
{
	struct daemon *daemon = context;

	(void)smfi_main();
	daemon->filter_ended = true;
	return NULL;
}

/*
 * There is no call of smfi_stop: it makes libmilter's controller destroy the
 * lock of its pool while workers, and the listener, still take it; whoever
 * comes at the wrong moment then waits for ever, smfi_main among them [5 of
 * 100 stops with sessions that end at the same time].
 */
int
callbacks_start(struct daemon *daemon, struct err *err)
{
	pthread_t thread;
	int rc = pthread_create(&thread, NULL, serve, daemon);

	if (rc != 0)
		return err_set(err, ERR_TEMP, "thread: %s", strerror(rc));
	(void)pthread_detach(thread);
	return 0;
}
