/* cli.h - the administration commands: words in, a request to the running server, words out. */
#pragma once

/* `argv[1]` is the noun. Returns the exit status: 0 done, 1 refused or not found, 2 wrong usage,
 * 3 no server. Everything that is no program of its own (serve, handset, …) comes here, help too.
 */
int cli_main(int argc, char **argv);
