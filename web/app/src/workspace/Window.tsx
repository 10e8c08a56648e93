/** A dialog over the page: Escape and a press outside close it, and the focus goes back to where it was. */

import type { ReactNode } from "react";
import { Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";

import { IconButton } from "../ui/controls";
import { CloseIcon } from "../ui/icons";

interface WindowProps {
  readonly title: string;
  readonly testId: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

export function Window({ title, testId, onClose, children }: WindowProps): ReactNode {
  return (
    <ModalOverlay className="modal-overlay" isOpen isDismissable onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Modal className="modal">
        <Dialog className="dialog" data-testid={testId}>
          <header className="dialog-header">
            <Heading slot="title">{title}</Heading>
            <IconButton label="Close" icon={<CloseIcon />} onPress={onClose} />
          </header>
          {children}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
