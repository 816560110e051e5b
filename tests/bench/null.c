/*
 * null.c - a libmilter filter that does nothing: what the wire alone costs.
 *
 *	null SOCKET
 *
 * It wants the whole message and no step answered but the last, as the
 * milter does.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <stdio.h>

#include <libmilter/mfapi.h>

#define NO_REPLIES                                                             \
	(SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT |       \
	    SMFIP_NR_DATA | SMFIP_NR_UNKN | SMFIP_NR_HDR | SMFIP_NR_EOH |      \
	    SMFIP_NR_BODY)

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long offered_actions,
    unsigned long offered_steps, unsigned long unused2, unsigned long unused3,
    unsigned long *actions, unsigned long *steps, unsigned long *out2,
    unsigned long *out3)
{
	(void)ctx;
	(void)offered_actions;
	(void)unused2;
	(void)unused3;
	*actions = 0;
	*steps = offered_steps & (NO_REPLIES | SMFIP_HDR_LEADSPC);
	*out2 = *out3 = 0;
	return SMFIS_CONTINUE;
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	(void)ctx;
	(void)name;
	(void)value;
	return SMFIS_NOREPLY;
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *data, size_t len)
{
	(void)ctx;
	(void)data;
	(void)len;
	return SMFIS_NOREPLY;
}

static sfsistat
on_message_end(SMFICTX *ctx)
{
	(void)ctx;
	return SMFIS_CONTINUE;
}

int
main(int argc, char **argv)
{
	static const struct smfiDesc description = {
		.xxfi_name = (char *)"null",
		.xxfi_version = SMFI_VERSION,
		.xxfi_header = on_header,
		.xxfi_body = on_body,
		.xxfi_eom = on_message_end,
		.xxfi_negotiate = on_negotiate,
	};

	if (argc != 2 || smfi_register(description) != MI_SUCCESS ||
	    smfi_setconn(argv[1]) != MI_SUCCESS) {
		fputs("usage: null SOCKET\n", stderr);
		return 2;
	}
	return smfi_main() == MI_SUCCESS ? 0 : 1;
}
