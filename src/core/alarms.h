/* alarms.h - what went wrong, with reason codes and the documented syslog form (EVT-1). */
#pragma once

#include <stdint.h>

#include "base/address.h"

enum alarm_id {
#define ALARM(id, name, severity, help) ALARM_##id,
#include "core/alarms.def"
#undef ALARM
    N_ALARMS
};

/* One occurrence. `parameters` is the ready "[DeviceName=…][IPAddress=…]" part of the syslog form. */
struct alarm {
    uint64_t time_us;
    enum alarm_id id;
    uint32_t reason;    /* 0: none */
    uint32_t times;     /* how often since the last one that was told (rate-limited), 1 or more */
    struct device_name device;
    struct ip ip;
    char parameters[]; /* NUL-terminated; the alarm is one heap block */
};
