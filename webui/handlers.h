/*
 * handlers.h - the handlers of the route table (webui/routes.c).
 *
 * Each gets a request whose role and scope have been checked, and makes the
 * model that doc/api.md describes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef WEBUI_HANDLERS_H
#define WEBUI_HANDLERS_H

#include "webui/api.h"

#define HANDLER(name)                                                          \
	int name(struct request *request, struct response *response,           \
	    struct err *err)

/* handlers_quarantine.c */
HANDLER(handle_quarantine_list);
HANDLER(handle_quarantine_show);
HANDLER(handle_quarantine_raw);
HANDLER(handle_quarantine_release);
HANDLER(handle_quarantine_remove);
HANDLER(handle_quarantine_allow);
HANDLER(handle_quarantine_block);

/* handlers_act.c */
HANDLER(handle_quarantine_act);

/* handlers_check.c */
HANDLER(handle_routes_check);
/* Routes in stored form: what became of each, an array; how many answer. */
json_t *check_routes(struct request *request, const json_t *routes,
    size_t *answering);

/* handlers_sign_in.c */
HANDLER(handle_sign_in_show);
HANDLER(handle_sign_in);
HANDLER(handle_sign_out);
HANDLER(handle_password_show);
HANDLER(handle_password);
HANDLER(handle_preferences);

/* handlers_users.c */
HANDLER(handle_users);
HANDLER(handle_user_show);
HANDLER(handle_user_add);
HANDLER(handle_user_set);
HANDLER(handle_user_remove);

/* handlers_message.c */
HANDLER(handle_message_preview);
HANDLER(handle_message_text);
HANDLER(handle_message_part);

/* handlers_domains.c */
HANDLER(handle_domains);
HANDLER(handle_domain_show);
HANDLER(handle_domain_add);
HANDLER(handle_domain_set);
HANDLER(handle_domain_remove);
HANDLER(handle_system_show);
HANDLER(handle_system_set);
HANDLER(handle_options);
HANDLER(handle_mailbox_show);

/* handlers_directory.c */
HANDLER(handle_routes);
HANDLER(handle_routes_show);
HANDLER(handle_routes_set);
HANDLER(handle_recipients);
HANDLER(handle_recipient_add);
HANDLER(handle_recipient_set);
HANDLER(handle_recipient_remove);
HANDLER(handle_aliases);
HANDLER(handle_alias_add);
HANDLER(handle_alias_remove);
HANDLER(handle_resolve);

/* handlers_lists.c */
HANDLER(handle_lists);
HANDLER(handle_list_add);
HANDLER(handle_list_remove);

/* handlers_tables.c */
HANDLER(handle_lists_import);
HANDLER(handle_lists_export);
HANDLER(handle_recipients_import);
HANDLER(handle_recipients_export);
HANDLER(handle_aliases_import);
HANDLER(handle_aliases_export);
HANDLER(handle_routes_import);
HANDLER(handle_routes_export);
HANDLER(handle_domains_import);
HANDLER(handle_domains_export);

/* handlers_auth.c */
HANDLER(handle_auth);

/* handlers_reports.c */
HANDLER(handle_reports);
HANDLER(handle_reports_sent);
HANDLER(handle_reports_upload);

/* handlers_log.c */
HANDLER(handle_log);
HANDLER(handle_audit);
HANDLER(handle_overview);

/* handlers_style.c */
HANDLER(handle_style);

#endif
