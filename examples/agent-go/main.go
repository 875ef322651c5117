// SPDX-License-Identifier: Apache-2.0

// Command agent-go is a small agent: it works off a list of tasks, and asks
// before each. In a cluster it needs no configuration, see manifests/; beside
// `make dev` it runs with the environment that make dev prints:
//
//	. .dev/env && go run ./examples/agent-go
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/ow-kai/ascend-operator/client"
)

func main() {
	patience := flag.Duration("wait", 5*time.Minute, "how long to wait for people, for each task")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	c, err := client.New(client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	failed := work(ctx, c, tasks(), *patience, os.Stdout)
	c.Close()
	stop()
	if failed > 0 {
		log.Fatalf("%d tasks failed", failed)
	}
}
