/*
 * carry.h - writes what the plan does not leave to the transaction: mail
 * held back, and mail to be delivered beside.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MILTER_CARRY_H
#define MILTER_CARRY_H

#include "milter/finish.h"

/*
 * All in one step, as durable as the store promises when it returns NULL;
 * finish->entries is filled in then.  Else nothing can be seen of it, and
 * what comes back is the answer to the whole message.  fields: ours, to be
 * put before a copy that is delivered later.
 */
const struct answer *carry_holds(struct transaction *tx, struct finish *finish,
    const struct own_field *fields, size_t n);

#endif
