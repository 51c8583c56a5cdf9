/* doctor.h - `dialtone doctor`: why does this phone not register? */
#pragma once

/* argv[0] is the subcommand. Exit status: 0 done, 1 a file cannot be read, 2 wrong usage. */
int doctor_main(int argc, char **argv);
