/* parts.h - what the readers of text share: where they stand, who speaks, small parsers. */
#pragma once

#include "base/map.h"
#include "base/pool.h"
#include "doctor/retold.h"
#include "doctor/text/text.h"
#include "wire/boot/tftp.h"

#define DAY_NS 86400000000000LL

/* One connection of a trace: "D33760" (StationD of SDL), "H4fbb150" (tcpHandle), "P1.100.9.7" (TCPPid), "N" and a device. */
struct speaker {
    char key[96]; /* and, behind an "@", the node whose trace it is */
    struct retold p;
    char file[64];     /* of a download */
    char link[96];     /* of a device: the connection its last REGISTER came by */
    char request[600]; /* of SIP: the head of a REGISTER that is not answered yet, as an answer repeats it */
};

/* A SIP message that is being read, line by line. */
struct text_sip {
    char bytes[2 * TEXT_LINE_MAX];
    size_t n, body; /* body: still missing of it; SIZE_MAX: the head is being read */
    bool open;
    bool spread;          /* an empty line stands behind each one: it was copied from a page */
    bool blank;           /* the last line was empty */
    uint64_t number;      /* of its first line */
    char thread[24];      /* "(618:927)" of a phone's log: who writes it, over several records */
    struct endpoint peer; /* as the line before it said; family 0: it did not */
    bool tcp;
};

/* The file that a phone of the newer kinds fetches ("downd-", "GHTTP-", "TFTPD-"). */
struct text_fetch {
    char file[64];
    struct ip server;
    bool http, refused;
    uint32_t flow; /* 0: it is not asked for yet */
};

/* A packet of a capture as it is printed, as far as its words have come. */
struct text_record {
    enum { RECORD_NONE, RECORD_ADDRESSES, RECORD_SUMMARY } step;
    char address[2][24], held[24]; /* held: an address that may begin the next one */
    uint64_t number, held_number;  /* their lines */
    const char *protocol;
    char summary[256];
};

/* A capture as an analyser prints it. */
struct text_printed {
    struct text_record record;
    struct mac phone;      /* the one that names itself, as far as the text was looked through */
    struct speaker *link;  /* its connection */
    unsigned port;         /* of its first connection; 0: not seen */
    uint32_t file_flow;
    char file[64];
    bool file_done;
};

/* What all texts share. */
struct texts {
    struct retell *r;
    struct text_totals totals;
    sight_fn on_sight;
    void *context;
    struct map by_key;
    struct pool speakers;
};

/* The clock of a text. */
struct text_clock {
    int64_t date_ns, zone_ns, tod_ns; /* midnight of the day it is, zone east of UTC, the last time of day */
    int64_t time_ns;                  /* since 1970; 0: no line has said */
    struct ip node;                   /* whose trace it is */
};

struct trace {
    struct texts *all;
    struct retell *r;                 /* of all */
    struct text_clock now;
    struct device_name device;        /* named last: whose log it is, when it is one phone's */
    struct ip device_ip, asker;       /* its address; who came to the HTTP server last */
    struct text_sip sip;
    struct text_printed printed;
    struct text_fetch fetch;
    char alarm[48];                   /* whose parameters stand in the next lines */
    uint64_t n_lines;
    uint8_t file;
    text_read read;
    void *context;
    enum { TEXT_BYTES, TEXT_WIDE, TEXT_WIDE_BIG } width; /* UTF-16 */
    bool old_ends;                    /* lines end in a carriage return alone */
    bool over, rest;                  /* nothing comes any more; what comes is the rest of a line that was too long */
    uint8_t odd;                      /* of UTF-16: the byte before, … */
    bool has_odd;                     /* … where a read ended inside a letter */
    bool has_line;
    struct text line;                 /* the next one, in `bytes` */
    size_t at, n;
    char bytes[TEXT_LINE_MAX];
};

/* ---- text.c ---- */

/* The moment of what follows: a time of day, of the day that runs; midnight passes when it goes back by half a day. */
void trace_at(struct trace *t, int64_t tod_ns);
void trace_date(struct trace *t, int year, int month, int day);
struct speaker *trace_speaker(struct trace *t, const char *key); /* made when new; NULL: too many */
struct speaker *trace_known(struct trace *t, const char *key);   /* NULL: not there */
/* Whether it is long ago that this was told: an alarm and the message it is about are one. Keeps the moment. */
bool trace_is_new(const struct retold *p, int64_t *last_ns);
struct speaker *trace_device(struct trace *t, struct text name); /* by its name */
/* "12:00:01.234" at the start: its length, with the time; 0: there is none. */
size_t trace_clock(struct text line, int64_t *tod_ns);
/* The word behind `mark` ("IPAddr="), up to a blank, comma or bracket; at == NULL when it is not there. */
struct text trace_after(struct text line, const char *mark);
bool trace_has(struct text line, const char *part); /* anywhere in it */
/* "SEP" and twelve digits, anywhere; empty: none. */
struct text trace_device_in(struct text line);

/* ---- the time of a line, where its form tells it: sets the clock ---- */

bool text_ccm_time(struct trace *t, struct text line);
bool text_alarm_time(struct trace *t, struct text line);
bool text_console_time(struct trace *t, struct text line);

/* ---- one form each: whether the line is of it ---- */

bool text_sip_line(struct trace *t, struct text line);   /* while a message is read */
bool text_sip_begins(struct trace *t, struct text line); /* a start line of SIP */
void text_sip_head(struct trace *t, struct text line);   /* "Incoming SIP TCP message from …": whose the next one is */
void text_sip_over(struct trace *t);                     /* another line begins: what was read is all there is */
/* The server says why it refused a device: the answer to its REGISTER, unless that stands in the trace. */
void text_sip_refused(struct trace *t, struct text device, uint32_t code);
bool text_ccm_line(struct trace *t, struct text line);
bool text_dhcp_line(struct trace *t, struct text line); /* ours */
bool text_file_line(struct trace *t, struct text line); /* of ctftp, HTTP on 6970, ours */
bool text_alarm_line(struct trace *t, struct text line); /* %UC_CALLMANAGER-3-EndPointUnregistered: … */
bool text_alarm_text(struct trace *t, struct text line); /* of a trace: "AlarmName: EndPointUnregistered, …" */
bool text_printed_line(struct trace *t, struct text line);
void text_printed_look(struct trace *t, struct text head); /* before the first line */
void text_printed_over(struct trace *t);                   /* nothing follows */
bool text_console_line(struct trace *t, struct text line);
void text_console_look(struct trace *t, struct text head); /* before the first line */
/* What a phone's log record says ("JAVA-sipio-sent---> …"), and its thread ("(618:927)"); at == NULL: it is none. */
struct text text_console_record(struct text line, char thread[static 24]);
