/*
 * child.c - a program that we start, watch, start again and stop.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#include "cli/child.h"

#define BACKOFF_FIRST_MS 500
#define BACKOFF_MAX_MS 30000
/* Who lived that long did not die of how it was started. */
#define OLD_MS 60000

bool
child_is_running(const struct child *child)
{
	return child->pid != 0;
}

bool
child_is_due(const struct child *child)
{
	return child->pid == 0 && clock_mono_ms() >= child->start_at_ms;
}

int64_t
child_due_ms(const struct child *child)
{
	int64_t left = child->start_at_ms - clock_mono_ms();

	if (child->pid != 0)
		return -1;
	return left > 0 ? left : 0;
}

/* In the new process. */
static _Noreturn void
become(const struct child *child, pid_t parent)
{
	sigset_t none;

	/* Before the program runs, so that there is no time without it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(126);
	(void)setpgid(0, 0);
	/* Our standard output is for what we say ourselves. */
	(void)dup2(STDERR_FILENO, STDOUT_FILENO);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (child->notify != NULL)
		(void)setenv("NOTIFY_SOCKET", child->notify, 1);
	else
		(void)unsetenv("NOTIFY_SOCKET");
	execvp(child->argv[0], (char *const *)(uintptr_t)child->argv);
	_exit(errno == ENOENT ? 127 : 126);
}

int
child_start(struct child *child, struct err *err)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return err_set(err, ERR_TEMP, "%s: fork: %s", child->name,
		    strerror(errno));
	if (pid == 0)
		become(child, parent);
	child->pid = pid;
	child->ready = false;
	child->started_ms = clock_mono_ms();
	log_info("%s: started, process %d", child->name, (int)pid);
	return 0;
}

void
child_set_ready(struct child *child)
{
	if (!child->ready)
		log_info("%s: ready", child->name);
	child->ready = child->was_ready = true;
}

static void
log_end(const struct child *child, int status)
{
	if (WIFSIGNALED(status))
		log_error("%s: ended by signal %d", child->name,
		    WTERMSIG(status));
	else if (WEXITSTATUS(status) == 127)
		log_error("%s: %s is not there", child->name, child->argv[0]);
	else
		log_error("%s: ended with status %d", child->name,
		    WEXITSTATUS(status));
}

bool
child_ended(struct child *child, int status)
{
	int64_t now_ms = clock_mono_ms();

	log_end(child, status);
	child->pid = 0;
	child->ready = false;
	if (child->backoff_ms == 0 || now_ms - child->started_ms > OLD_MS)
		child->backoff_ms = BACKOFF_FIRST_MS;
	else if (child->backoff_ms < BACKOFF_MAX_MS / 2)
		child->backoff_ms *= 2;
	else
		child->backoff_ms = BACKOFF_MAX_MS;
	child->start_at_ms = now_ms + child->backoff_ms;
	if (child->was_ready)
		log_info("%s: to be started again in %u ms", child->name,
		    child->backoff_ms);
	return child->was_ready;
}

void
child_signal(const struct child *child, int signal)
{
	if (child->pid != 0)
		(void)kill(child->pid, signal);
}
