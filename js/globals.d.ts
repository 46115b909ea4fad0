// Names that the build puts in, and those of module loaders that may be there.

declare const FAUXSERVER_VERSION: string
declare const FAUXSERVER_FILES: any
declare const __dirname: string
declare const exports: any
declare const module: any
declare const require: any
declare const define: any
