/* Tells of each container that starts on this host. With libsystemd's sd-bus:
       cc -std=c11 started.c -o started $(pkg-config --cflags --libs libsystemd) */
#include <stdint.h>
#include <stdio.h>
#include <systemd/sd-bus.h>

static int on_started(sd_bus_message* message, void* data, sd_bus_error* error) {
    const char *engine = NULL, *project = NULL, *name = NULL;
    (void)data;
    (void)error;
    int read = sd_bus_message_read(message, "sss", &engine, &project, &name);
    if (read < 0) return read;
    printf("started %s %s\n", engine, name);
    fflush(stdout);
    return 0;
}

int main(void) {
    sd_bus* bus = NULL;
    if (sd_bus_open_system(&bus) < 0) return 1;
    if (sd_bus_match_signal(bus, NULL, "org.shorewatch1", "/org/shorewatch1", "org.shorewatch1.Manager",
                            "ContainerStarted", on_started, NULL) < 0)
        return 1;
    printf("watching\n");
    fflush(stdout);
    for (;;) {
        int done = sd_bus_process(bus, NULL);
        if (done < 0 || (done == 0 && sd_bus_wait(bus, UINT64_MAX) < 0)) return 1;
    }
}
