/*
 * heartbeat_metrics.c - the table of what a milter counts.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "config.h"

#include <assert.h>

#include "policy/class.h"
#include "policy/scan.h"
#include "quarantine/heartbeat.h"

static_assert((int)PART_DNS_WAIT == (int)CHECK_COUNT,
    "the parts begin with the checks");

static const char *
class_word(size_t i)
{
	return main_class_name((enum main_class)i);
}

static const char *
status_word(size_t i)
{
	return status_name((enum status)i);
}

static const char *
part_word(size_t i)
{
	static const char *const others[] = {
		[PART_DNS_WAIT - CHECK_COUNT] = "dns_wait",
		[PART_JUDGE - CHECK_COUNT] = "judge",
		[PART_HOLD - CHECK_COUNT] = "hold",
		[PART_WRITE_BACK - CHECK_COUNT] = "write_back",
	};

	return i < CHECK_COUNT ? check_name((enum check_id)i)
			       : others[i - CHECK_COUNT];
}

static const struct metric_label by_class = { "class", CLASS_COUNT,
	class_word };
static const struct metric_label by_status = { "status", STATUS_COUNT,
	status_word };
static const struct metric_label by_part = { "part", PART_COUNT, part_word };

#define COUNTER(name_, help_)                                                  \
	{                                                                      \
		.name = "milter_" name_, .type = METRIC_COUNTER,               \
		.help = (help_)                                                \
	}
#define GAUGE(name_, help_)                                                    \
	{                                                                      \
		.name = "milter_" name_, .type = METRIC_GAUGE, .help = (help_) \
	}

static const struct metric rows[MILTER_METRIC_COUNT] = {
	[MILTER_START_TIME] = { "milter_start_time_seconds", METRIC_GAUGE,
	    METRIC_MS, "When it was started, since 1970.", { 0 } },
	[MILTER_CPU_TIME] = { "milter_cpu_seconds_total", METRIC_COUNTER,
	    METRIC_MS, "Processor time used, by user and system.", { 0 } },
	[MILTER_MEMORY] =
	    GAUGE("resident_memory_bytes", "Memory that is in use."),
	[MILTER_OPEN_FILES] = GAUGE("open_fds", "Open file descriptors."),
	[MILTER_DRAINING] = GAUGE("draining",
	    "1 while it finishes what it has and takes no new recipients."),
	[MILTER_SETTINGS_GENERATION] = GAUGE("settings_generation",
	    "Generation of the settings in force; 0 while there are none."),
	[MILTER_SESSIONS_TOTAL] =
	    COUNTER("sessions_total", "SMTP sessions begun."),
	[MILTER_SESSIONS] = GAUGE("sessions", "SMTP sessions now."),
	[MILTER_TURNED_AWAY] = COUNTER("sessions_turned_away_total",
	    "Sessions over connections_max, whose recipients are deferred."),
	[MILTER_TRANSACTIONS] =
	    GAUGE("transactions", "Messages being received now."),
	[MILTER_MESSAGES] = COUNTER("messages_total",
	    "Messages that reached their end, for one mailbox or more."),
	[MILTER_VERDICTS] = { "milter_verdicts_total", METRIC_COUNTER,
	    METRIC_NUMBER,
	    "Messages by what became of them, one for each final mailbox and "
	    "for each recipient refused.",
	    { &by_class, &by_status } },
	[MILTER_RECIPIENTS] =
	    COUNTER("recipients_accepted_total", "Recipients accepted."),
	[MILTER_REFUSED] =
	    COUNTER("recipients_refused_total", "Recipients refused."),
	[MILTER_UNLISTED] = COUNTER("recipients_unlisted_total",
	    "Recipients that are neither of us nor from us, left to the "
	    "MTA."),
	[MILTER_RELEASED] = COUNTER("released_total",
	    "Mails that we had released, seen again and passed."),
	[MILTER_END_OF_MESSAGE] = { "milter_end_of_message_seconds",
	    METRIC_HISTOGRAM, METRIC_NUMBER,
	    "From the end of a message to our reply.", { 0 } },
	[MILTER_PART] = { "milter_part_seconds", METRIC_HISTOGRAM,
	    METRIC_NUMBER,
	    "Parts of the time that a message takes us: what checks compute, "
	    "and the steps of its end.",
	    { &by_part } },
	[MILTER_WAITS_TOTAL] =
	    COUNTER("waits_total", "Ends of message that waited for DNS."),
	[MILTER_WAITS] =
	    GAUGE("waits", "Ends of message that wait for DNS now."),
	[MILTER_WAITS_REFUSED] = COUNTER("waits_refused_total",
	    "Ends of message over waits_max, judged without waiting."),
	[MILTER_HOLDS] = COUNTER("holds_total",
	    "Entries written to the quarantine or to be delivered beside."),
	[MILTER_HOLD_FAILURES] = COUNTER("hold_failures_total",
	    "Messages deferred or refused as they could not be held."),
	[MILTER_DNS_QUESTIONS] =
	    COUNTER("dns_questions_total", "Questions that checks asked."),
	[MILTER_DNS_CACHE_HITS] =
	    COUNTER("dns_cache_hits_total", "Questions the cache answered."),
	[MILTER_DNS_QUERIES] =
	    COUNTER("dns_queries_total", "Questions sent to the resolver."),
	[MILTER_DNS_FAILURES] = COUNTER("dns_failures_total",
	    "Answers after which nothing is known, timeouts included."),
	[MILTER_DNS_TIMEOUTS] = COUNTER("dns_timeouts_total",
	    "Questions without an answer in time."),
	[MILTER_DNS_CACHED] =
	    GAUGE("dns_cache_entries", "Answers in the cache."),
	[MILTER_REDIS_UP] =
	    GAUGE("redis_up", "1 while the last call to Redis worked."),
	[MILTER_REDIS_CALLS] =
	    COUNTER("redis_calls_total", "Calls that Redis answered."),
	[MILTER_REDIS_FAILURES] = COUNTER("redis_failures_total",
	    "Connections and calls to Redis that failed."),
	[MILTER_REDIS_TURNED_AWAY] = COUNTER("redis_turned_away_total",
	    "Calls not made, as Redis had just failed."),
	[MILTER_EVENTS_SENT] =
	    COUNTER("events_sent_total", "Events written to Redis."),
	[MILTER_EVENTS_SPOOLED] = COUNTER("events_spooled_total",
	    "Events written to the spool file, sent since or not."),
	[MILTER_EVENTS_DROPPED] = COUNTER("events_dropped_total",
	    "Events lost, as the spool file was full."),
	[MILTER_EVENTS_QUEUED] =
	    GAUGE("events_queued", "Events in memory, to be written."),
	[MILTER_SPOOL_BYTES] = GAUGE("spool_bytes", "Size of the spool file."),
	[MILTER_FAILURES] = COUNTER("failures_total",
	    "DMARC failures described for a failure report."),
	[MILTER_FAILURES_LOST] = COUNTER("failures_lost_total",
	    "DMARC failures described that Redis did not take: not "
	    "reported."),
};

const struct metric_table milter_metrics = { rows, MILTER_METRIC_COUNT };
