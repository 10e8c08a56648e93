/** Icons, drawn on a grid of 24 with round strokes. They are decoration: the control beside them has the name. */

import type { ReactNode } from "react";

function Icon({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

const SLASH = <path d="M4 4l16 16" />;

export const MicIcon = (): ReactNode => (
  <Icon>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />
  </Icon>
);

export const MicOffIcon = (): ReactNode => (
  <Icon>
    <path d="M15 10.5V6a3 3 0 0 0-5.8-1M9 9v2a3 3 0 0 0 4.6 2.5M5.5 11.5a6.5 6.5 0 0 0 10.6 5M18.5 11.5q0 1.4-.6 2.6M12 18v3" />
    {SLASH}
  </Icon>
);

export const CameraIcon = (): ReactNode => (
  <Icon>
    <rect x="3" y="6.5" width="12" height="11" rx="2.5" />
    <path d="M15 10.8l4.6-2.7q.9-.5.9.5v6.8q0 1-.9.5L15 13.2" />
  </Icon>
);

export const CameraOffIcon = (): ReactNode => (
  <Icon>
    <path d="M15 15.5a2.4 2.4 0 0 1-2.4 2H5.5A2.5 2.5 0 0 1 3 15V9a2.5 2.5 0 0 1 2.5-2.5h1M10.5 6.5h2A2.5 2.5 0 0 1 15 9v1.8l4.6-2.7q.9-.5.9.5v6.8" />
    {SLASH}
  </Icon>
);

export const ScreenIcon = (): ReactNode => (
  <Icon>
    <rect x="3" y="4.5" width="18" height="12.5" rx="2.5" />
    <path d="M12 13.5v-5M9.5 10.8L12 8.3l2.5 2.5M9 20.5h6" />
  </Icon>
);

export const StopScreenIcon = (): ReactNode => (
  <Icon>
    <rect x="3" y="4.5" width="18" height="12.5" rx="2.5" />
    <path d="M9.8 8.5l4.4 4.4m0-4.4l-4.4 4.4M9 20.5h6" />
  </Icon>
);

export const ChatIcon = (): ReactNode => (
  <Icon>
    <path d="M4 6.5A2.5 2.5 0 0 1 6.5 4h11A2.5 2.5 0 0 1 20 6.5v7a2.5 2.5 0 0 1-2.5 2.5H10l-4.5 4v-4A1.5 1.5 0 0 1 4 14.5z" />
    <path d="M8 8.7h8M8 11.8h5" />
  </Icon>
);

export const PeopleIcon = (): ReactNode => (
  <Icon>
    <circle cx="9" cy="8.5" r="3.3" />
    <path d="M3 19.5a6 6 0 0 1 12 0M15.5 5.5a3.2 3.2 0 0 1 0 6M17.5 14.3a6 6 0 0 1 3.5 5.2" />
  </Icon>
);

export const RobotIcon = (): ReactNode => (
  <Icon>
    <rect x="4.5" y="8" width="15" height="11" rx="3" />
    <path d="M12 8V4.5M9 13v.6M15 13v.6M9.5 16.3h5M2.5 12v3M21.5 12v3" />
    <circle cx="12" cy="3.6" r=".9" />
  </Icon>
);

export const LeaveIcon = (): ReactNode => (
  <Icon>
    <path d="M3.6 14.6c-1.2-1.2-1.2-3 .2-4.2 4.6-3.9 11.8-3.9 16.4 0 1.4 1.2 1.4 3 .2 4.2l-.6.6c-.5.5-1.3.6-1.9.2l-2-1.3c-.5-.4-.8-1-.6-1.6l.2-1c-2.3-.7-4.7-.7-7 0l.2 1c.2.6-.1 1.2-.6 1.6l-2 1.3c-.6.4-1.4.3-1.9-.2z" />
  </Icon>
);

export const LinkIcon = (): ReactNode => (
  <Icon>
    <path d="M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1" />
  </Icon>
);

export const CheckIcon = (): ReactNode => (
  <Icon>
    <path d="M5 12.5l4.5 4.5L19 7.5" />
  </Icon>
);

export const CloseIcon = (): ReactNode => (
  <Icon>
    <path d="M6.5 6.5l11 11m0-11l-11 11" />
  </Icon>
);

export const SendIcon = (): ReactNode => (
  <Icon>
    <path d="M4.5 12L19.5 5l-5 14.5-3.2-6.3zM11.3 13.2L19.5 5" />
  </Icon>
);

export const ChevronIcon = (): ReactNode => (
  <Icon>
    <path d="M7 10l5 5 5-5" />
  </Icon>
);

export const PreviousIcon = (): ReactNode => (
  <Icon>
    <path d="M14.5 6.5L9 12l5.5 5.5" />
  </Icon>
);

export const NextIcon = (): ReactNode => (
  <Icon>
    <path d="M9.5 6.5L15 12l-5.5 5.5" />
  </Icon>
);

export const SoundIcon = (): ReactNode => (
  <Icon>
    <path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a7.6 7.6 0 0 1 0 11" />
  </Icon>
);

export const ReplyIcon = (): ReactNode => (
  <Icon>
    <path d="M9.5 6.5L4.5 11.5l5 5M4.5 11.5h9a6 6 0 0 1 6 6v1" />
  </Icon>
);

export const SmileIcon = (): ReactNode => (
  <Icon>
    <circle cx="12" cy="12" r="8.5" />
    <path d="M8.5 14a4.2 4.2 0 0 0 7 0M9 9.5v.5M15 9.5v.5" />
  </Icon>
);

export const MoreIcon = (): ReactNode => (
  <Icon>
    <path d="M6 12h.01M12 12h.01M18 12h.01" strokeWidth="3" />
  </Icon>
);

export const HashIcon = (): ReactNode => (
  <Icon>
    <path d="M9.5 4.5l-2 15M16.5 4.5l-2 15M5 9h15M4 15h15" />
  </Icon>
);

export const LockIcon = (): ReactNode => (
  <Icon>
    <rect x="5.5" y="10.5" width="13" height="9" rx="2" />
    <path d="M8.5 10.5V8a3.5 3.5 0 0 1 7 0v2.5" />
  </Icon>
);

export const HornIcon = (): ReactNode => (
  <Icon>
    <path d="M4.5 10v4h3l9 4.5v-13L7.5 10zM19.5 10.5v3M8.5 14.5l1.2 5h2.3" />
  </Icon>
);

export const SearchIcon = (): ReactNode => (
  <Icon>
    <circle cx="11" cy="11" r="6.5" />
    <path d="M16 16l4.5 4.5" />
  </Icon>
);

export const PlusIcon = (): ReactNode => (
  <Icon>
    <path d="M12 5v14M5 12h14" />
  </Icon>
);

export const MutedIcon = (): ReactNode => (
  <Icon>
    <path d="M6.5 16.5h11l-1.6-2.4V10a4 4 0 0 0-6.8-2.8M8 10v4.1l-1.5 2.4M10.5 19.5a1.8 1.8 0 0 0 3 0M4 4l16 16" />
  </Icon>
);

export const PinIcon = (): ReactNode => (
  <Icon>
    <path d="M9 4.5h6M10 4.5v5.2L7 13v1.5h10V13l-3-3.3V4.5M12 14.5v5" />
  </Icon>
);

export const DownIcon = (): ReactNode => (
  <Icon>
    <path d="M12 5v13M6.5 12.5L12 18l5.5-5.5" />
  </Icon>
);

export const ThreadIcon = (): ReactNode => (
  <Icon>
    <path d="M5 5h14v10h-8l-4 4v-4H5zM9 9h6M9 12h4" />
  </Icon>
);

export const Mark = (): ReactNode => (
  <svg className="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <rect width="32" height="32" rx="9" fill="var(--mark)" />
    <circle cx="12.5" cy="14" r="6" fill="#fffdf8" />
    <circle cx="20" cy="18.5" r="6" fill="#f0b27a" fillOpacity=".92" />
  </svg>
);
