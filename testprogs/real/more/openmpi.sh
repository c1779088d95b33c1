# needs: mpirun mpicc
cat > a.c <<EOF
#include <mpi.h>
#include <stdio.h>
int main(int c, char **v) { int r, n, s; MPI_Init(&c, &v); MPI_Comm_rank(MPI_COMM_WORLD, &r); MPI_Comm_size(MPI_COMM_WORLD, &n);
 for (int i = 0; i < 100; i++) MPI_Allreduce(&r, &s, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
 if (!r) printf("%d of %d\n", s, n); MPI_Finalize(); return 0; }
EOF
mpicc a.c -o a || exit
mpirun --allow-run-as-root --oversubscribe -n 2 ./a; echo $?
