#include "test.h"

#include <arpa/inet.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/process.h"

static int listener(int type, uint16_t *port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, type, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 1), 0);
    getsockname(fd, (struct sockaddr *)&sa, &len);
    *port = ntohs(sa.sin_port);
    return fd;
}

static void the_holder_of_a_port_is_named(void **state)
{
    for (int udp = 0; udp < 2; udp++) {
        uint16_t port;
        int fd = listener(udp ? SOCK_DGRAM : SOCK_STREAM, &port);
        char name[64];
        pid_t pid = 0;

        assert_int_equal(process_holding_port(port, udp, &pid, name, sizeof(name)), 0);
        assert_int_equal(pid, getpid());
        assert_non_null(strstr(name, "unit_io_process"));
        close(fd);
        assert_int_equal(process_holding_port(port, udp, &pid, name, sizeof(name)), -ENOENT);
    }
}

static void a_second_process_is_told_who_holds_the_lock(void **state)
{
    char path[] = "/tmp/dialtone-lock-XXXXXX";
    int fd = mkstemp(path), held, status;
    pid_t child;

    close(fd);
    assert_int_equal(process_lock(path, &held, NULL), 0);
    child = fork();
    if (child == 0) {
        pid_t other = 0;
        int second, err = process_lock(path, &second, &other);

        _exit(err == -EBUSY && other == getppid() ? 0 : 1);
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    close(held);
    assert_int_equal(process_lock(path, &held, NULL), 0);
    close(held);
    unlink(path);
}

static void readiness_reaches_the_service_manager(void **state)
{
    char path[] = "/tmp/dialtone-notify-XXXXXX", text[32] = "";
    struct sockaddr_un_like {
        sa_family_t family;
        char path[108];
    } sa = {AF_UNIX, ""};
    int fd;

    assert_non_null(mkdtemp(path));
    snprintf(sa.path, sizeof(sa.path), "%s/s", path);
    fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    setenv("NOTIFY_SOCKET", sa.path, 1);
    process_notify("READY=1");
    assert_int_equal(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 7);
    assert_string_equal(text, "READY=1");
    close(fd);
    unlink(sa.path);
    rmdir(path);
}

static void the_table_of_open_files_has_its_full_size_at_once(void **state)
{
    size_t files = process_raise_files(), wanted = files < 262144 ? files : 262144, size = 0;
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];

    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        sscanf(line, "FDSize: %zu", &size);
    fclose(f);
    assert_true(size >= wanted);
}

static bool goes_first(void)
{
    return sched_getscheduler(0) == SCHED_RR || getpriority(PRIO_PROCESS, 0) == -5;
}

static void a_priority_is_taken_and_left_again(void **state)
{
    int policy = sched_getscheduler(0), nice = getpriority(PRIO_PROCESS, 0);

    process_leave_priority(); /* nothing was taken */
    assert_int_equal(sched_getscheduler(0), policy);
    if (process_take_priority() == 0) /* a container may forbid it */
        assert_true(goes_first() || policy != SCHED_OTHER);
    process_leave_priority();
    assert_int_equal(sched_getscheduler(0), policy);
    assert_int_equal(getpriority(PRIO_PROCESS, 0), nice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_holder_of_a_port_is_named),
        cmocka_unit_test(a_second_process_is_told_who_holds_the_lock),
        cmocka_unit_test(readiness_reaches_the_service_manager),
        cmocka_unit_test(the_table_of_open_files_has_its_full_size_at_once),
        cmocka_unit_test(a_priority_is_taken_and_left_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
