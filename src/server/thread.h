/* thread.h - starting and ending the threads of a node; what serve.c needs and nobody else. */
#pragma once

#include "server/server.h"

/* What a service last said of itself. */
struct service_report {
    enum service_state state;
    char text[256];
};

struct server *server_new(const struct bootstrap *settings); /* NULL without memory */
void server_free(struct server *s);                          /* all threads stopped */
/* Starts a thread and waits until its `start` has returned; 0 or what that returned. */
int server_start_thread(struct server *s, enum thread_id id);
void server_stop_thread(struct server *s,
                        enum thread_id id); /* waits for its end; fine when not running */
struct service_report server_service(struct server *s, enum service_id id);

extern const char *const service_names[N_SERVICES];
