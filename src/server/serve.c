/* serve.c - the program `dialtone serve`: options, start, what a person sees, stop. */
#include "server/serve.h"

#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "io/process.h"
#include "server/thread.h"

#define LARGE (256 << 10) /* bytes asked for at once */

#define FILES_WANTED 4096 /* fewer, and a middling site does not fit */

/* In order of start; stopped in the opposite order. Storage publishes the first snapshot, and admin
 * hears what happens to the others. */
static const enum thread_id start_order[] = {THREAD_ADMIN,     THREAD_STORAGE, THREAD_LEASES,
                                             THREAD_TRACES,    THREAD_FILES,   THREAD_ADDRESSING,
                                             THREAD_SIGNALLING};

static const char usage[] =
    "Usage: dialtone serve [--data DIR] [--config FILE] [--set KEY=VALUE …]\n"
    "\n"
    "Gives Cisco IP phones address, files and registration, until it is told to stop.\n"
    "\n"
    "  --data DIR        where the database lives (default ./data when it exists, else\n"
    "                    /var/lib/dialtone when that exists, else ./data, which is made)\n"
    "  --config FILE     settings: see dialtone.conf(5)\n"
    "  --set KEY=VALUE   one setting; beats the file. `dialtone config show` lists them\n";

static int options_read(int argc, char **argv, struct bootstrap *b, const char **config)
{
    static const struct option options[] = {
        {"data", required_argument, NULL, 'd'},
        {"config", required_argument, NULL, 'c'},
        {"set", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;

    optind = 1;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'd')
            text_copy(b->data, sizeof(b->data), text_of(optarg));
        else if (c == 'c')
            *config = optarg;
        else if (c == 'h') {
            fputs(usage, stdout);
            exit(0);
        } else if (c != 's')
            return -EINVAL; /* getopt has said why */
    }
    if (optind < argc)
        fprintf(stderr, "dialtone serve: '%s' is not an option\n", argv[optind]);
    return optind < argc ? -EINVAL : 0;
}

/* --set beats the file, so it is read once more after the file. */
static int sets_read(int argc, char **argv, struct bootstrap *b, char *error, size_t size)
{
    for (int i = 1; i < argc; i++) {
        const char *value = NULL;
        int err;

        if (!strncmp(argv[i], "--set=", 6))
            value = argv[i] + 6;
        else if (!strcmp(argv[i], "--set") && i + 1 < argc)
            value = argv[++i];
        if (value && (err = bootstrap_set(b, value, error, size)) < 0)
            return err;
    }
    return 0;
}

int serve_settings(int argc, char **argv, struct bootstrap *ret)
{
    const char *config = NULL;
    char error[512];
    int err;

    bootstrap_default(ret);
    if (options_read(argc, argv, ret, &config) < 0) {
        fputs(usage, stderr);
        return 2;
    }
    err = config ? bootstrap_load(ret, config, error, sizeof(error)) : 0;
    if (!err)
        err = sets_read(argc, argv, ret, error, sizeof(error));
    if (!*ret->data)
        snprintf(ret->data, sizeof(ret->data), "%s",
                 access("data", F_OK) == 0 || access("/var/lib/dialtone", F_OK) < 0
                     ? "data"
                     : "/var/lib/dialtone");
    if (!err)
        err = bootstrap_load_kept(ret, error, sizeof(error));
    if (err) {
        fprintf(stderr, "dialtone serve: %s\n", error);
        return 2;
    }
    return 0;
}

static void set_up_log(const struct bootstrap *b)
{
    enum log_level level = LOG_LEVEL_INFO;

    if (log_level_parse(text_of(b->log_level), &level) < 0)
        log_error("serve",
                  "log.level '%s' is none of error, warning, notice, info, debug; taking info",
                  b->log_level);
    log_set_level(level);
    log_set_json(!strcmp(b->log_format, "json"));
}

static int folder_take(const struct bootstrap *b)
{
    char path[sizeof(b->data) + 32];
    pid_t other = 0;
    int fd, err;

    if (mkdir(b->data, 0750) < 0 && errno != EEXIST) {
        log_error("serve", "cannot make the data folder %s: %s", b->data, strerror(errno));
        return -errno;
    }
    snprintf(path, sizeof(path), "%s/dialtone.pid", b->data);
    err = process_lock(path, &fd, &other); /* kept open until the process ends */
    if (err == -EBUSY)
        log_error(
            "serve",
            "another server (pid %ld) runs on %s: stop it, or name another folder with --data",
            (long)other, b->data);
    else if (err)
        log_error("serve", "cannot write in the data folder %s: %s", b->data, strerror(-err));
    return err == -EROFS || err == -EACCES ? 0
                                           : err; /* read-only: the database says what that means */
}

static void warn_of_limits(void)
{
    size_t files = process_raise_files();

    if (files < FILES_WANTED)
        log_warning(
            "serve",
            "only %zu files may be open, so about %zu phones can connect: raise the hard limit "
            "(ulimit -Hn, or LimitNOFILE= in the service file)",
            files, files > 64 ? files - 64 : 0);
}

/* Without privileges, programs of root that hold our ports could not be named. */
static void note_holders(const struct bootstrap *b)
{
    const struct {
        int32_t port;
        bool udp;
    } ports[] = {
        {b->sccp_port, false},        {b->sccp_tls_port, false},   {b->sccp_old_tls_port, false},
        {b->sip_port, false},         {b->sip_port, true},         {b->sip_tls_port, false},
        {b->sip_old_tls_port, false}, {b->files_http_port, false}, {b->tftp_port, true},
        {b->dhcp_port, true},         {b->dns_port, true}};

    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
        if (ports[i].port)
            process_note_holder((uint16_t)ports[i].port, ports[i].udp);
}

static int start_all(struct server *s)
{
    for (size_t i = 0; i < N_THREADS; i++) {
        int err = server_start_thread(s, start_order[i]);

        if (err) {
            log_error("serve", "cannot start: %s", strerror(-err));
            return err;
        }
    }
    return 0;
}

static void stop_all(struct server *s)
{
    for (size_t i = N_THREADS; i-- > 0;)
        server_stop_thread(s, start_order[i]);
}

/* The page, as one opens it the first time: its text is "URL, …, first log-in with the key KEY". */
static void print_page(struct server *s)
{
    struct service_report web = server_service(s, SERVICE_WEB);
    const char *key = strstr(web.text, "the key ");

    if (web.state == SERVICE_RUNNING)
        printf("\nIn a browser:\n  %.*s%s%s\n", (int)strcspn(web.text, ","), web.text,
               key ? "?key=" : "", key ? key + strlen("the key ") : "");
}

static void print_services(struct server *s, const struct bootstrap *b)
{
    static const char *const words[] = {"off", "running", "stopped", "FAILED"};

    printf("\ndialtone %s, data in %s\n\n", DIALTONE_VERSION, b->data);
    for (int i = 0; i < N_SERVICES; i++) {
        struct service_report report = server_service(s, (enum service_id)i);

        printf("  %-33s %-8s %s\n", service_names[i], words[report.state], report.text);
    }
    print_page(s);
    printf(
        "\nOr in another terminal:\n"
        "  %1$s --data %2$s phone add SEP001122334455 model=7960 lines=7001\n"
        "  %1$s --data %2$s phone list      who is registered, where, since when\n"
        "  %1$s --data %2$s unknown list    phones that were here and are not in the database\n\n"
        "Ready. Ctrl-C stops.\n",
        program_invocation_name, b->data);
    fflush(stdout);
}

/* Waits for the signal that ends the server; SIGPIPE and SIGHUP do not. */
static int wait_for_end(const sigset_t *ends)
{
    int signal_number = 0;

    process_notify("READY=1");
    while (sigwait(ends, &signal_number) != 0)
        ;
    process_notify("STOPPING=1");
    return signal_number;
}

int serve_main(int argc, char **argv)
{
    struct bootstrap settings;
    struct server *server;
    char error[256];
    sigset_t ends;
    int err;

    if ((err = serve_settings(argc, argv, &settings)))
        return err;
    set_up_log(&settings);
    mallopt(M_MMAP_THRESHOLD, LARGE); /* fixed: what is freed goes back to the system */
    umask(0027); /* what the data folder holds is nobody else's */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL); /* threads inherit it: only wait_for_end takes them */
    warn_of_limits();
    if (folder_take(&settings) < 0)
        return 1;
    note_holders(&settings);
    if (settings.run_priority && process_take_priority() < 0)
        log_info("serve", "signalling runs like any program: a priority is not allowed here (CAP_SYS_NICE or LimitRTPRIO=)");
    if (process_drop_privileges(settings.run_user, settings.data, error, sizeof(error)) < 0)
        log_warning("serve", "%s; going on with what there is", error);
    if (!(server = server_new(&settings)))
        return 1;
    err = start_all(server);
    process_leave_priority();
    if (!err) {
        print_services(server, &settings);
        log_info("serve", "stopping: signal %d", wait_for_end(&ends));
    }
    stop_all(server);
    server_free(server);
    return err ? 1 : 0;
}
