/* log.h - topics, levels, one line each, to standard error or syslog.
 *
 * ERROR: an administrator must act; WARNING: a phone suffers; NOTICE: a peer surprised us;
 * INFO: an event of life; DEBUG: the rest. Safe from every thread. */
#pragma once

#include <stdbool.h>

#include "base/text.h"

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_NOTICE,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG
};

int log_level_parse(struct text t, enum log_level *ret);
void log_set_level(enum log_level level);
void log_set_json(bool on); /* log.format = json */
bool log_wants(enum log_level level);
void log_print(enum log_level level, const char *topic, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(topic, ...)   log_print(LOG_LEVEL_ERROR, topic, __VA_ARGS__)
#define log_warning(topic, ...) log_print(LOG_LEVEL_WARNING, topic, __VA_ARGS__)
#define log_notice(topic, ...)  log_print(LOG_LEVEL_NOTICE, topic, __VA_ARGS__)
#define log_info(topic, ...)    log_print(LOG_LEVEL_INFO, topic, __VA_ARGS__)
#define log_debug(topic, ...)                                                                      \
    (log_wants(LOG_LEVEL_DEBUG) ? log_print(LOG_LEVEL_DEBUG, topic, __VA_ARGS__) : (void)0)
