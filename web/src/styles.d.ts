/** Style sheets imported by elements; the build emits them as files. */

declare module '*.css';
