// SPDX-License-Identifier: Apache-2.0

package session

import (
	"errors"
	"fmt"
)

// The exit codes. Scripts rely on them: they are never given another meaning.
const (
	// ExitOK: everything that was asked for was done; of an action that was
	// waited for, that it is approved.
	ExitOK = 0
	// ExitError: something was refused or failed; stderr says what.
	ExitError = 1
	// ExitUsage: the command line itself is wrong; nothing was tried.
	ExitUsage = 2
	// ExitFound: a check has found something: a policy with errors, a test that
	// fails, too little coverage, decisions that flip, an audit trail that is not as
	// it was written.
	ExitFound = 3
	// ExitDenied: the action that was waited for is denied.
	ExitDenied = 4
	// ExitPending: it was not decided when the waiting time was over.
	ExitPending = 5
	// ExitTimedOut: nobody decided about it in time.
	ExitTimedOut = 6
	// ExitCancelled: its requester has withdrawn it.
	ExitCancelled = 7
)

// ExitCodesHelp ends the help of commands that neither wait nor check.
const ExitCodesHelp = `
Exit codes: 0 done, 1 refused or failed, 2 wrong usage.`

// ErrReported stands for errors that stderr already has.
var ErrReported = errors.New("reported")

// ExitCodeError ends the program with a code of its own, after everything there is to
// say has been printed.
type ExitCodeError int

func (e ExitCodeError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }
