// SPDX-License-Identifier: Apache-2.0

// Command krew makes what a release of the command line consists of: `pack`
// compiles ascend for every platform and packs it, `manifests` writes the krew
// manifests of the plugins ascend, approve and deny for these archives.
//
// Both are reproducible: the same checkout and the same Go give the same bytes.
// `make plugins` and `make krew` run it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
)

// semantic is a version as krew wants it: semantic, with a v.
var semantic = regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`)

// options are the flags of both commands.
type options struct {
	version   string
	dir       string // archives and manifests
	platforms []platform
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "krew: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("a command is missing: pack or manifests")
	}
	command, o := args[0], options{}
	set := flag.NewFlagSet("krew "+command, flag.ContinueOnError)
	set.StringVar(&o.version, "version", "", "`version` of the release, such as v1.2.3")
	set.StringVar(&o.dir, "dir", "bin/krew", "`folder` of the archives and manifests")
	names := set.String("platforms", strings.Join(platformNames(), ","), "`OS/ARCH,...` to compile for")
	if err := set.Parse(args[1:]); err != nil {
		return err
	}
	if !semantic.MatchString(o.version) {
		return fmt.Errorf("--version is %q; it has to be a semantic version with a v, such as v1.2.3", o.version)
	}
	var err error
	if o.platforms, err = platformsOf(*names); err != nil {
		return err
	}
	switch command {
	case "pack":
		return packAll(ctx, o)
	case "manifests":
		return writeManifests(o)
	default:
		return fmt.Errorf("there is no command %q: pack or manifests", command)
	}
}
