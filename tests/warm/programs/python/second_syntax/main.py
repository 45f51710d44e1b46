import package.broken
