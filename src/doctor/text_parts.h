/* text_parts.h - what the readers of text share: where they stand, who speaks, small parsers. */
#pragma once

#include "base/map.h"
#include "base/pool.h"
#include "doctor/retold.h"
#include "doctor/text.h"
#include "wire/boot/tftp.h"

#define DAY_NS 86400000000000LL

/* One connection of a trace: "D33760" (StationD of SDL), "H4fbb150" (tcpHandle), "P1.100.9.7" (TCPPid), "N" and a device. */
struct speaker {
    char key[40];
    struct retold p;
    char file[64];     /* of a download */
    char link[40];     /* of a device: the connection its last REGISTER came by */
    char request[600]; /* of SIP: the head of a REGISTER that is not answered yet, as an answer repeats it */
};

/* A SIP message that is being read, line by line. */
struct text_sip {
    char bytes[TEXT_LINE_MAX];
    size_t n, body; /* body: still missing of it; SIZE_MAX: the head is being read */
    bool open;
    struct endpoint peer; /* as the line before it said; family 0: it did not */
    bool tcp;
};

/* A capture as an analyser prints it. */
struct text_printed {
    struct mac phone;      /* the one that names itself, as far as the text was looked through */
    struct speaker *link;  /* its connection */
    unsigned port;         /* of its first connection; 0: not seen */
    uint32_t file_flow;
    char file[64];
    bool file_done;
};

struct trace {
    struct retell *r;
    struct text_totals totals;
    sight_fn on_sight;
    void *context;
    int64_t date_ns, zone_ns, tod_ns; /* midnight of the day it is, zone east of UTC, the last time of day */
    struct ip node;                   /* whose trace it is */
    struct map by_key;
    struct pool speakers;
    struct device_name device;        /* named last: whose log it is, when it is one phone's */
    struct ip device_ip, asker;       /* its address; who came to the HTTP server last */
    struct text_sip sip;
    struct text_printed printed;
    char line[TEXT_LINE_MAX];
    size_t n_line;
    unsigned n_sip;                   /* messages of SIP that stand in it whole */
};

/* ---- text.c ---- */

/* The moment of what follows: a time of day, of the day that runs; midnight passes when it goes back by half a day. */
void trace_at(struct trace *t, int64_t tod_ns);
void trace_date(struct trace *t, int year, int month, int day);
struct speaker *trace_speaker(struct trace *t, const char *key); /* made when new; NULL: too many */
struct speaker *trace_known(struct trace *t, const char *key);   /* NULL: not there */
struct speaker *trace_device(struct trace *t, struct text name); /* by its name */
/* "12:00:01.234" at the start: its length, with the time; 0: there is none. */
size_t trace_clock(struct text line, int64_t *tod_ns);
/* The word behind `mark` ("IPAddr="), up to a blank, comma or bracket; at == NULL when it is not there. */
struct text trace_after(struct text line, const char *mark);
bool trace_has(struct text line, const char *part); /* anywhere in it */
/* "SEP" and twelve digits, anywhere; empty: none. */
struct text trace_device_in(struct text line);

/* ---- one form each: whether the line is of it ---- */

bool text_sip_line(struct trace *t, struct text line);   /* while a message is read */
bool text_sip_begins(struct trace *t, struct text line); /* a start line of SIP */
void text_sip_head(struct trace *t, struct text line);   /* "Incoming SIP TCP message from …": whose the next one is */
void text_sip_over(struct trace *t);                     /* another line begins: what was read is all there is */
/* The server says why it refused a device: the answer to its REGISTER, unless that stands in the trace. */
void text_sip_refused(struct trace *t, struct text device, uint32_t code);
bool text_ccm_line(struct trace *t, struct text line);
bool text_file_line(struct trace *t, struct text line); /* of ctftp, HTTP on 6970, ours */
bool text_alarm_line(struct trace *t, struct text line); /* %UC_CALLMANAGER-3-EndPointUnregistered: … */
bool text_printed_line(struct trace *t, struct text line);
void text_printed_look(struct trace *t, struct text head); /* before the first line */
bool text_console_line(struct trace *t, struct text line);
