/** Java's warm starters. A module, so that what it may reach inside java.base is reached by it alone. */
module cloister.warm {
    requires jdk.compiler;

    exports cloister.warm;
}
