# One fit of glmnet: Rscript glmnet.R FOLDER FAMILY ALPHA TOL; seconds on the last line, coefficients in a file.
suppressMessages(library(glmnet))
args <- commandArgs(trailingOnly = TRUE)
file <- function(name) paste0(args[1], "/", name)
size <- scan(file("size.txt"), quiet = TRUE)
X <- matrix(readBin(file("X.bin"), "double", size[1] * size[2]), size[1], size[2])
y <- readBin(file("y.bin"), "double", size[1])
lambda <- readBin(file("lambda.bin"), "double", size[3])
family <- switch(args[2], gamma = Gamma(link = "log"), args[2])
glmnet.control(fdev = 0, devmax = 1)
fit <- function() {
  glmnet(X, y, family = family, alpha = as.numeric(args[3]), lambda = lambda, standardize = FALSE,
         intercept = FALSE, thresh = as.numeric(args[4]), maxit = 1e7)
}
seconds <- system.time(model <- fit())["elapsed"]
writeBin(as.vector(as.matrix(model$beta)), file("beta.bin"))
cat(as.character(packageVersion("glmnet")), seconds, "\n")
