// SPDX-License-Identifier: Apache-2.0

// Package controllers brings the cluster's objects to decisions and the
// decisions back to the cluster: gather, decide, apply. One reconciler a file.
package controllers
