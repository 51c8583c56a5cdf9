/* syslog.h - alarms to a syslog server, in the documented line form: UDP 514, or the machine's own.
 */
#pragma once

#include <uv.h>

struct syslog;

/* `where`: "local", "host", "host:port" or "[v6]:port"; empty gives NULL and 0. Names are looked up
 * in the background; what comes before they are known is lost. -EINVAL, -ENOMEM. */
int syslog_open(uv_loop_t *loop, const char *where, struct syslog **ret);
/* `line` from the sequence number on, as alarm_print makes it. Never waits. */
void syslog_send(struct syslog *s, unsigned severity, const char *line); /* NULL is fine */
void syslog_stop(struct syslog *s); /* frees in the loop; NULL is fine */
