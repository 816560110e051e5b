/*
 * settings_keys.h - names of the keys that settings have in the store.
 *
 * One slot, {cfg}; what lies under them is described in doc/redis-keys.md.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef POLICY_SETTINGS_KEYS_H
#define POLICY_SETTINGS_KEYS_H

#define SETTINGS_KEY_PREFIX "sk:{cfg}:" /* and an object's name */
#define SETTINGS_KEY_GENERATION "sk:{cfg}:gen"
#define SETTINGS_KEY_FLOOR "sk:{cfg}:floor"
#define SETTINGS_KEY_SECRET "sk:{cfg}:secret"
#define SETTINGS_KEY_CHANGED "sk:{cfg}:changed"
#define SETTINGS_KEY_GONE "sk:{cfg}:gone"
#define SETTINGS_KEY_AUDIT "sk:{cfg}:audit"
#define SETTINGS_KEY_MAILBOXES "sk:{cfg}:mailboxes:" /* and a domain */
#define SETTINGS_KEY_USERS "sk:{cfg}:users"
#define SETTINGS_CHANNEL "sk:notice"

#endif
