/*
 * commands.h - the families of commands, in the order of the help.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/args.h"

extern const struct cli_group group_alias;
extern const struct cli_group group_audit;
extern const struct cli_group group_auth;
extern const struct cli_group group_config;
extern const struct cli_group group_dkim;
extern const struct cli_group group_doctor;
extern const struct cli_group group_domain;
extern const struct cli_group group_list;
extern const struct cli_group group_log;
extern const struct cli_group group_manual;
extern const struct cli_group group_quarantine;
extern const struct cli_group group_recipient;
extern const struct cli_group group_report;
extern const struct cli_group group_route;
extern const struct cli_group group_scan;
extern const struct cli_group group_system;
extern const struct cli_group group_up;
extern const struct cli_group group_user;

/* All of them. */
extern const struct cli_groups cli_groups;

#endif
