/*
 * doctor_impl.h - what the files of the doctor share.
 *
 *	doctor.c           findings, single parameters
 *	doctor_milters.c   what smtpd asks, and by which sockets
 *	doctor_release.c   the listener for released mail
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef CLI_DOCTOR_IMPL_H
#define CLI_DOCTOR_IMPL_H

#include "base/buf.h"

#include "cli/doctor.h"

/* Notes a finding; the same one is noted once. */
void doctor_found(struct doctor *doctor, enum finding_level level,
    const char *what, const char *why, const char *file, const char *mend);
/* "name = value", or that there is none. */
const char *doctor_assignment(struct doctor *doctor, const char *name,
    const char *value);
/* "smtp/inet: name = value" */
const char *doctor_in_service(struct doctor *doctor,
    const struct postfix_service *service, const char *name, const char *value);
/* "master.cf, below smtp inet" */
const char *doctor_below_service(struct doctor *doctor,
    const struct postfix_service *service);

/* Does an address of main.cf ("inet:127.0.0.1:8895") lead to where we listen?
 * chroot: for a process of Postfix that sees only its queue directory. */
bool doctor_is_ours(struct doctor *doctor, struct bytes word,
    const char *listen, bool chroot);
bool doctor_is_release_listener(struct doctor *doctor,
    const struct postfix_service *service);

void doctor_check_services(struct doctor *doctor);
void doctor_check_maps(struct doctor *doctor);
void doctor_check_release(struct doctor *doctor);

#endif
