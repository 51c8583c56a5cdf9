/* alarms.c - alarms about files, not more of them than somebody can read. */
#include "server/files/files.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "core/alarms.h"

#define ALARM_SLOTS     1024
#define ALARM_PAUSE     60000 /* ms between two alarms of the same name and client */
#define ALARMS_A_SECOND 5

struct file_alarms {
    struct {
        uint64_t hash, told_ms;
        uint32_t times;
    } slots[ALARM_SLOTS];
    uint64_t second_ms;
    unsigned in_second;
};

/* How often it happened since it was told last; 0: not now. */
uint32_t file_alarm_due(struct files *f, enum alarm_id id, const char *what, struct ip ip)
{
    uint64_t now_ms = uv_now(&f->thread->loop), hash;
    struct file_alarms *a = f->alarms;
    char key[200];
    size_t slot;
    uint32_t times;

    hash = hash_bytes(
        key, (size_t)snprintf(key, sizeof(key), "%d %.128s %x", (int)id, what, ip_v4_number(ip)));
    slot = hash % ALARM_SLOTS;
    if (a->slots[slot].hash != hash) {
        a->slots[slot].hash = hash;
        a->slots[slot].told_ms = 0;
        a->slots[slot].times = 0;
    }
    a->slots[slot].times++;
    if (a->slots[slot].told_ms && now_ms - a->slots[slot].told_ms < ALARM_PAUSE)
        return 0;
    if (now_ms - a->second_ms >= 1000) {
        a->second_ms = now_ms;
        a->in_second = 0;
    }
    if (a->in_second >= ALARMS_A_SECOND)
        return 0;
    a->in_second++;
    a->slots[slot].told_ms = now_ms ? now_ms : 1;
    times = a->slots[slot].times;
    a->slots[slot].times = 0;
    return times;
}

void file_alarm_missing(struct files *f, const struct file_name *name, const struct file_report *r)
{
    uint32_t times = file_alarm_due(f, ALARM_SERVING_FILE_WARNING, name->path, r->client.ip);
    char client[ENDPOINT_TEXT_MAX];
    struct alarm_draft d;

    if (!times)
        return;
    alarm_begin(&d, ALARM_SERVING_FILE_WARNING);
    d.times = times;
    d.device = name->device;
    d.ip = r->client.ip;
    alarm_put(&d, "ErrorNumber", "%d", r->http ? 404 : 1);
    alarm_put(&d, "FileName", "%s", name->given);
    alarm_put(&d, "IPAddress_Port", "%s", endpoint_print(&r->client, client));
    alarm_put(&d, "Mode", "%s", r->http ? "http" : "octet");
    alarm_put(&d, "OpCode", "%d", 1);
    alarm_put(&d, "Reason", "File not found");
    server_alarm(f->server, alarm_finish(&d));
}

void file_alarm_not_yours(struct files *f, const struct file_name *name, struct ip client)
{
    uint32_t times = file_alarm_due(f, ALARM_FILE_NOT_YOURS, name->path, client);
    struct alarm_draft d;

    if (!times)
        return;
    alarm_begin(&d, ALARM_FILE_NOT_YOURS);
    d.times = times;
    alarm_put_device(&d, name->device);
    alarm_put_ip(&d, client);
    alarm_put(&d, "FileName", "%s", name->given);
    server_alarm(f->server, alarm_finish(&d));
}

void file_alarm_guessed(struct files *f, struct ip client, uint32_t names)
{
    struct alarm_draft d;

    alarm_begin(&d, ALARM_FILE_NAMES_GUESSED);
    alarm_put_ip(&d, client);
    alarm_put(&d, "Names", "%u", names);
    alarm_put(&d, "Interval", "60");
    server_alarm(f->server, alarm_finish(&d));
}

struct file_alarms *file_alarms_new(void)
{
    return calloc(1, sizeof(struct file_alarms));
}
