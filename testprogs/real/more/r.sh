# needs: Rscript
Rscript -e 'x<-matrix(runif(1e5),ncol=100); set.seed(1); print(dim(crossprod(x))); l<-lapply(1:1000,function(i) rnorm(100)); print(length(l)); print(length(parallel::mclapply(1:4,function(i) i^2,mc.cores=2)))'
