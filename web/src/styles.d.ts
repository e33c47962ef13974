/** Style sheets that an element brings along; the build makes files of them. */

declare module '*.css';
