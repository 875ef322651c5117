// SPDX-License-Identifier: Apache-2.0

package audit

import "io/fs"

// FaultyDisk is the disk of the machine with faults: Fault is asked before each
// operation, and may have a write take some of its bytes only.
type FaultyDisk struct {
	Fault func(operation string) (takes int, err error)
}

// OpenFileOn is OpenFile on that disk.
func OpenFileOn(d FaultyDisk, path string, options FileOptions) (*File, error) {
	return openFile(path, options, d)
}

func (d FaultyDisk) open(path string) (handle, error) {
	if _, err := d.Fault("open"); err != nil {
		return nil, err
	}
	opened, err := theDisk{}.open(path)
	return faultyHandle{opened, d}, err
}

func (d FaultyDisk) stat(path string) (fs.FileInfo, error) {
	if _, err := d.Fault("stat"); err != nil {
		return nil, err
	}
	return theDisk{}.stat(path)
}

func (d FaultyDisk) rename(from, to string) error {
	if _, err := d.Fault("rename"); err != nil {
		return err
	}
	return theDisk{}.rename(from, to)
}

func (d FaultyDisk) remove(path string) error {
	if _, err := d.Fault("remove"); err != nil {
		return err
	}
	return theDisk{}.remove(path)
}

func (d FaultyDisk) sync(folder string) error {
	if _, err := d.Fault("sync folder"); err != nil {
		return err
	}
	return theDisk{}.sync(folder)
}

type faultyHandle struct {
	handle
	disk FaultyDisk
}

func (h faultyHandle) Write(p []byte) (int, error) {
	takes, err := h.disk.Fault("write")
	if err == nil {
		return h.handle.Write(p)
	}
	n, _ := h.handle.Write(p[:min(takes, len(p))])
	return n, err
}

func (h faultyHandle) Sync() error {
	if _, err := h.disk.Fault("sync"); err != nil {
		return err
	}
	return h.handle.Sync()
}

func (h faultyHandle) Truncate(size int64) error {
	if _, err := h.disk.Fault("truncate"); err != nil {
		return err
	}
	return h.handle.Truncate(size)
}
