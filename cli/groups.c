/*
 * groups.c - which families of commands there are.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include "cli/commands.h"

static const struct cli_group *const groups[] = {
	&group_up,
	&group_quarantine,
	&group_log,
	&group_domain,
	&group_system,
	&group_route,
	&group_recipient,
	&group_alias,
	&group_list,
	&group_audit,
	&group_user,
	&group_scan,
	&group_auth,
	&group_report,
	&group_dkim,
	&group_config,
	&group_doctor,
	&group_manual,
};

const struct cli_groups cli_groups = { sizeof(groups) / sizeof(groups[0]),
	groups };
