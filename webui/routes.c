/*
 * routes.c - the route table.
 *
 * A row holds all there is to know of a route; doc/api.md says the same in
 * words.  The first row that fits counts, so words go before parameters.
 *
 * Roles: the operator may do all.  The postmaster has the directory, the
 * logs and all domains, and no held mail.  A domain admin has what is of
 * his domains, but for routes, which he sees.  A releaser releases without
 * reading.  A mail user has what is of the mailbox.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include "webui/handlers.h"

#define OPERATOR ROLE_BIT(ROLE_OPERATOR)
#define POSTMASTERS (OPERATOR | ROLE_BIT(ROLE_POSTMASTER))
#define ADMINS (POSTMASTERS | ROLE_BIT(ROLE_DOMAIN_ADMIN))
#define ADMINS_AND_USERS (ADMINS | ROLE_BIT(ROLE_MAIL_USER))
#define EVERYBODY (ADMINS_AND_USERS | ROLE_BIT(ROLE_RELEASER))
/* Who may read held mail, and who may let it go. */
#define READERS                                                                \
	(OPERATOR | ROLE_BIT(ROLE_DOMAIN_ADMIN) | ROLE_BIT(ROLE_MAIL_USER))
#define RELEASERS (READERS | ROLE_BIT(ROLE_RELEASER))
/* Who makes accounts for others. */
#define MANAGERS (OPERATOR | ROLE_BIT(ROLE_DOMAIN_ADMIN))
#define ANYBODY (EVERYBODY | ROLE_BIT(ROLE_NONE))

/* clang-format off */
const struct route api_routes[] = {
	{ METHOD_GET, "/sign-in", ANYBODY, SCOPE_SELF,
	    "sign-in", handle_sign_in_show },
	{ METHOD_POST, "/sign-in", ANYBODY, SCOPE_SELF,
	    "sign-in", handle_sign_in },
	{ METHOD_POST, "/sign-out", ANYBODY, SCOPE_SELF,
	    "sign-in", handle_sign_out },
	{ METHOD_GET, "/password", EVERYBODY, SCOPE_SELF,
	    "password", handle_password_show },
	{ METHOD_POST, "/password", EVERYBODY, SCOPE_SELF,
	    "password", handle_password },
	{ METHOD_POST, "/preferences", ANYBODY, SCOPE_SELF,
	    "preferences", handle_preferences },

	{ METHOD_GET, "/users", MANAGERS, SCOPE_ROLE,
	    "users", handle_users },
	{ METHOD_POST, "/users", MANAGERS, SCOPE_ROLE,
	    "user", handle_user_add },
	{ METHOD_GET, "/users/:name", MANAGERS, SCOPE_USER,
	    "user", handle_user_show },
	{ METHOD_POST, "/users/:name", MANAGERS, SCOPE_USER,
	    "user", handle_user_set },
	{ METHOD_POST, "/users/:name/remove", MANAGERS, SCOPE_USER,
	    "removed", handle_user_remove },

	{ METHOD_GET, "/quarantine", RELEASERS, SCOPE_HOLDER,
	    "quarantine", handle_quarantine_list },
	{ METHOD_POST, "/quarantine/act", RELEASERS, SCOPE_ROLE,
	    "acted", handle_quarantine_act },
	{ METHOD_GET, "/quarantine/:id", RELEASERS, SCOPE_HELD,
	    "held", handle_quarantine_show },
	{ METHOD_GET, "/quarantine/:id/raw", READERS, SCOPE_HELD,
	    NULL, handle_quarantine_raw },
	{ METHOD_GET, "/quarantine/:id/preview", READERS, SCOPE_HELD,
	    NULL, handle_message_preview },
	{ METHOD_GET, "/quarantine/:id/text", READERS, SCOPE_HELD,
	    NULL, handle_message_text },
	{ METHOD_GET, "/quarantine/:id/parts/:number", READERS, SCOPE_HELD,
	    NULL, handle_message_part },
	{ METHOD_POST, "/quarantine/:id/release", RELEASERS, SCOPE_HELD,
	    "released", handle_quarantine_release },
	{ METHOD_POST, "/quarantine/:id/remove", READERS, SCOPE_HELD,
	    "removed", handle_quarantine_remove },
	{ METHOD_POST, "/quarantine/:id/allow", READERS, SCOPE_HELD,
	    "released", handle_quarantine_allow },
	{ METHOD_POST, "/quarantine/:id/block", READERS, SCOPE_HELD,
	    "removed", handle_quarantine_block },

	{ METHOD_GET, "/domains", ADMINS, SCOPE_ROLE,
	    "domains", handle_domains },
	{ METHOD_POST, "/domains/import", POSTMASTERS, SCOPE_ROLE,
	    "imported", handle_domains_import },
	{ METHOD_GET, "/domains/export", POSTMASTERS, SCOPE_ROLE,
	    NULL, handle_domains_export },
	{ METHOD_GET, "/domains/:domain", ADMINS, SCOPE_DOMAIN,
	    "domain", handle_domain_show },
	{ METHOD_POST, "/domains", POSTMASTERS, SCOPE_DOMAIN,
	    "domain", handle_domain_add },
	{ METHOD_POST, "/domains/:domain", ADMINS, SCOPE_DOMAIN,
	    "domain", handle_domain_set },
	{ METHOD_POST, "/domains/:domain/remove", POSTMASTERS, SCOPE_DOMAIN,
	    "removed", handle_domain_remove },
	{ METHOD_GET, "/system", POSTMASTERS, SCOPE_ROLE,
	    "system", handle_system_show },
	{ METHOD_POST, "/system", POSTMASTERS, SCOPE_ROLE,
	    "system", handle_system_set },
	{ METHOD_GET, "/style", EVERYBODY, SCOPE_ROLE,
	    "style", handle_style },
	{ METHOD_GET, "/options", EVERYBODY, SCOPE_ROLE,
	    "options", handle_options },

	{ METHOD_GET, "/routes", ADMINS, SCOPE_ROLE,
	    "routes", handle_routes },
	{ METHOD_POST, "/routes/import", POSTMASTERS, SCOPE_TARGET,
	    "imported", handle_routes_import },
	{ METHOD_GET, "/routes/export", ADMINS, SCOPE_TARGET,
	    NULL, handle_routes_export },
	{ METHOD_GET, "/routes/:domain", ADMINS, SCOPE_DOMAIN,
	    "route", handle_routes_show },
	{ METHOD_POST, "/routes/:domain/check", POSTMASTERS, SCOPE_DOMAIN,
	    "route", handle_routes_check },
	{ METHOD_POST, "/routes/:domain", POSTMASTERS, SCOPE_DOMAIN,
	    "route", handle_routes_set },

	{ METHOD_GET, "/recipients", ADMINS, SCOPE_DOMAIN,
	    "recipients", handle_recipients },
	{ METHOD_POST, "/recipients", ADMINS, SCOPE_ADDRESS,
	    "recipient", handle_recipient_add },
	{ METHOD_GET, "/recipients/show", ADMINS_AND_USERS, SCOPE_ADDRESS,
	    "recipient", handle_mailbox_show },
	{ METHOD_POST, "/recipients/set", ADMINS, SCOPE_ADDRESS,
	    "recipient", handle_recipient_set },
	{ METHOD_POST, "/recipients/remove", ADMINS, SCOPE_ADDRESS,
	    "removed", handle_recipient_remove },
	{ METHOD_POST, "/recipients/import", ADMINS, SCOPE_TARGET,
	    "imported", handle_recipients_import },
	{ METHOD_GET, "/recipients/export", ADMINS, SCOPE_TARGET,
	    NULL, handle_recipients_export },

	{ METHOD_GET, "/aliases", ADMINS, SCOPE_DOMAIN,
	    "aliases", handle_aliases },
	{ METHOD_POST, "/aliases", ADMINS, SCOPE_SOURCE,
	    "alias", handle_alias_add },
	{ METHOD_POST, "/aliases/remove", ADMINS, SCOPE_SOURCE,
	    "removed", handle_alias_remove },
	{ METHOD_POST, "/aliases/import", ADMINS, SCOPE_TARGET,
	    "imported", handle_aliases_import },
	{ METHOD_GET, "/aliases/export", ADMINS, SCOPE_TARGET,
	    NULL, handle_aliases_export },
	{ METHOD_GET, "/resolve", ADMINS, SCOPE_ADDRESS,
	    "resolve", handle_resolve },

	{ METHOD_GET, "/lists", ADMINS_AND_USERS, SCOPE_TARGET,
	    "lists", handle_lists },
	{ METHOD_POST, "/lists", ADMINS_AND_USERS, SCOPE_TARGET,
	    "list-row", handle_list_add },
	{ METHOD_POST, "/lists/remove", ADMINS_AND_USERS, SCOPE_TARGET,
	    "removed", handle_list_remove },
	{ METHOD_POST, "/lists/import", ADMINS_AND_USERS, SCOPE_TARGET,
	    "imported", handle_lists_import },
	{ METHOD_GET, "/lists/export", ADMINS_AND_USERS, SCOPE_TARGET,
	    NULL, handle_lists_export },

	{ METHOD_GET, "/log", ADMINS_AND_USERS, SCOPE_TARGET,
	    "log", handle_log },
	{ METHOD_GET, "/reports", ADMINS, SCOPE_TARGET,
	    "reports", handle_reports },
	{ METHOD_GET, "/reports/sent", POSTMASTERS, SCOPE_ROLE,
	    "reports-sent", handle_reports_sent },
	{ METHOD_POST, "/reports/upload", ADMINS, SCOPE_ROLE,
	    "reports-uploaded", handle_reports_upload },
	{ METHOD_GET, "/auth", ADMINS, SCOPE_DOMAIN,
	    "auth", handle_auth },
	{ METHOD_GET, "/audit", ADMINS, SCOPE_TARGET,
	    "audit", handle_audit },
	{ METHOD_GET, "/overview", EVERYBODY, SCOPE_TARGET,
	    "overview", handle_overview },
};
/* clang-format on */

const size_t api_route_count = sizeof(api_routes) / sizeof(api_routes[0]);
